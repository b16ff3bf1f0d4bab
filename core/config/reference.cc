// SPDX-License-Identifier: Apache-2.0
// The embedded reference files are part of the program: one that can't be read is a bug, and ends it.
#include "core/config/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "core/base/suggest.h"
#include "core/config/assets.h"

namespace sentinel {
namespace {

constexpr std::string_view kDirectory = "docs/reference/";
constexpr std::string_view kResources = "docs/reference/resources/";
constexpr std::string_view kErrors = "docs/reference/errors.yaml";

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) {
    const Error& error = result.error();
    std::cerr << "embedded "
              << (error.position ? fmt::format("{}:{}: ", error.position->file, error.position->line) : "")
              << error.message << '\n';
    std::abort();
  }
  return std::move(result).value();
}

std::string text_of(const Node& node, std::string_view key) {
  const Node* value = node.find(key);
  return value == nullptr ? std::string() : value->text;
}

Reference read_reference(const EmbeddedFile& file, std::string topic) {
  const Node node = must(parse_yaml(std::string(file.bytes), std::string(file.name)));
  const Node* schema = node.find("schema");
  if (schema == nullptr) must<Node>(Error("reference.malformed", "no 'schema'").at(node.position()));
  Reference out;
  out.title = text_of(node, "title");
  out.text = text_of(node, "text");
  out.example = text_of(node, "example");
  out.primary = text_of(node, "primary");
  out.model = text_of(node, "model");
  if (out.model.empty()) out.model = topic;
  out.topic = std::move(topic);
  out.schema = must(read_schema(*schema));
  return out;
}

struct Library {
  std::map<std::string, Reference, std::less<>> pages;
  std::vector<std::string> topics;
  std::vector<std::string> kinds;
};

const Library& library() {
  static const Library loaded = [] {
    Library out;
    for (const auto& file : reference_files()) {
      if (file.name == kErrors || !file.name.ends_with(".yaml")) continue;
      const bool kind = file.name.starts_with(kResources);
      auto name = file.name.substr((kind ? kResources : kDirectory).size());
      std::string topic(name.substr(0, name.size() - 5));
      (kind ? out.kinds : out.topics).push_back(topic);
      Reference page = read_reference(file, topic);
      out.pages.emplace(std::move(topic), std::move(page));
    }
    std::sort(out.kinds.begin(), out.kinds.end());
    std::sort(out.topics.begin(), out.topics.end());
    return out;
  }();
  return loaded;
}

std::vector<ErrorPage> read_error_pages() {
  std::vector<ErrorPage> out;
  for (const auto& file : reference_files()) {
    if (file.name != kErrors) continue;
    const Node node = must(parse_yaml(std::string(file.bytes), std::string(file.name)));
    for (const auto& [code, page] : node.entries) {
      out.push_back({code.text, text_of(page, "title"), text_of(page, "cause"), text_of(page, "remedy")});
    }
  }
  std::sort(out.begin(), out.end(), [](const ErrorPage& a, const ErrorPage& b) { return a.code < b.code; });
  return out;
}

}  // namespace

const Reference* find_reference(std::string_view topic) {
  const auto& pages = library().pages;
  const auto found = pages.find(topic);
  return found == pages.end() ? nullptr : &found->second;
}

std::vector<std::string> reference_topics() {
  return library().topics;
}

std::vector<std::string> resource_kinds() {
  return library().kinds;
}

const std::vector<ErrorPage>& error_pages() {
  static const std::vector<ErrorPage> pages = read_error_pages();
  return pages;
}

Result<std::string> error_page(const std::string& code) {
  // Families that share one page: what the operating system says, and the command line.
  const std::string wanted = code.starts_with("system.E") ? "system.E" : code.starts_with("usage.") ? "usage" : code;
  std::vector<std::string> codes;
  for (const auto& page : error_pages()) {
    if (page.code == wanted)
      return fmt::format("{}: {}\n\n{}\n\nWhat to do: {}\n", code, page.title, page.cause, page.remedy);
    codes.push_back(page.code);
  }
  return Error("docs.unknown-code", fmt::format("there is no error '{}'", code), did_you_mean(code, codes),
               ExitCode::kUsage);
}

}  // namespace sentinel
