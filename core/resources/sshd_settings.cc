// SPDX-License-Identifier: Apache-2.0
// Follows servconf.c of OpenSSH: a Match block ends at the next one or at the end of its file; an include inside a
// block applies under that block's criteria.
#include "core/resources/sshd_settings.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

#include "core/base/file.h"

namespace sentinel {
namespace {

constexpr int kMaximalDepth = 16;
constexpr std::string_view kBlank = " \t\r";

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Words with double quotes taken off; a '#' that begins a word ends the line.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trimmed(text)).empty() && text.front() != '#') {
    std::string word;
    bool quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (quoted || kBlank.find(text[at]) == std::string_view::npos); ++at) {
      if (text[at] == '"') {
        quoted = !quoted;
      } else {
        word += text[at];
      }
    }
    words.push_back(std::move(word));
    text.remove_prefix(at);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

class Collector {
 public:
  Collector(Reader& machine, SshdSettings& into) : machine_(machine), into_(into) {}

  Result<void> collect(const std::string& file, const std::string& match, int depth) {
    if (depth > kMaximalDepth) return Error("sshd.include-depth", fmt::format("{}: includes go too deep", file));
    auto text = machine_.read_file(file);
    if (!text.ok()) {
      const bool absent = text.error().code == "system.ENOENT" || text.error().code == "system.EISDIR";
      return absent ? Result<void>() : Result<void>(std::move(text).error());
    }
    if (into_.files.emplace(file, *text).second) into_.order.push_back(file);
    std::string block = match;
    int number = 0;
    std::size_t at = 0;
    while (at < text->size()) {
      const auto end = std::min(text->find('\n', at), text->size());
      SENTINEL_CHECK(take(std::string_view(*text).substr(at, end - at), file, ++number, match, block, depth));
      at = end + 1;
    }
    return {};
  }

 private:
  Result<void> take(std::string_view line, const std::string& file, int number, const std::string& outer,
                    std::string& block, int depth) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') return {};
    const auto keyword_end = std::min(line.find_first_of(" \t\r="), line.size());
    const auto keyword = canonical_keyword(lower(line.substr(0, keyword_end)));
    auto rest = trimmed(line.substr(keyword_end));
    if (rest.starts_with('=')) rest = trimmed(rest.substr(1));
    const auto words = words_of(rest);
    if (keyword == "match") {
      block = outer.empty() ? joined(words) : outer + " and " + joined(words);
    } else if (keyword == "include") {
      for (const auto& pattern : words) SENTINEL_CHECK(include(pattern, file, number, block, depth));
    } else {
      into_.settings.push_back({keyword, joined(words), file, number, block});
    }
    return {};
  }

  Result<void> include(const std::string& pattern, const std::string& file, int line, const std::string& match,
                       int depth) {
    const auto path = pattern.starts_with('/') ? pattern : "/etc/ssh/" + pattern;
    into_.includes.push_back({path, file, line, match});
    const auto directory = parent_directory(path);
    const auto name = path.substr(path.find_last_of('/') + 1);
    if (std::find(into_.directories.begin(), into_.directories.end(), directory) == into_.directories.end()) {
      into_.directories.push_back(directory);
    }
    SENTINEL_TRY(const auto names, machine_.list(directory));
    for (const auto& candidate : names) {
      if (::fnmatch(name.c_str(), candidate.c_str(), FNM_PERIOD) != 0) continue;
      SENTINEL_CHECK(collect(directory + "/" + candidate, match, depth + 1));
    }
    return {};
  }

  Reader& machine_;
  SshdSettings& into_;
};

}  // namespace

Result<SshdSettings> read_sshd_settings(Reader& machine) {
  SshdSettings settings;
  SENTINEL_CHECK(Collector(machine, settings).collect(kSshdMainFile, "", 0));
  return settings;
}

int include_line(const SshdSettings& all, const std::string& path) {
  for (const auto& entry : all.includes) {
    if (entry.file != kSshdMainFile || !entry.match.empty()) continue;
    if (::fnmatch(entry.pattern.c_str(), path.c_str(), FNM_PERIOD | FNM_PATHNAME) == 0) return entry.line;
  }
  return 0;
}

bool is_cumulative(const std::string& keyword) {
  static constexpr std::array<std::string_view, 8> kKeywords{"port",        "listenaddress", "allowusers", "denyusers",
                                                             "allowgroups", "denygroups",    "acceptenv",  "hostkey"};
  return std::find(kKeywords.begin(), kKeywords.end(), keyword) != kKeywords.end();
}

std::string canonical_keyword(const std::string& keyword) {
  if (keyword == "challengeresponseauthentication" || keyword == "skeyauthentication")
    return "kbdinteractiveauthentication";
  return keyword;
}

bool same_value(const std::string& keyword, const std::string& left, const std::string& right) {
  if (is_cumulative(keyword)) {
    const auto a = words_of(left);
    const auto b = words_of(right);
    return std::set<std::string>(a.begin(), a.end()) == std::set<std::string>(b.begin(), b.end());
  }
  const auto plain = [](const std::string& value) {
    const auto text = lower(value);
    return text == "without-password" ? std::string("prohibit-password") : text;
  };
  return plain(left) == plain(right);
}

}  // namespace sentinel
