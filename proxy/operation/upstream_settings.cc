// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/upstream_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/file.h"
#include "core/base/suggest.h"

namespace sentinel::proxy {
namespace {

constexpr const char* kUpstreams = "SENTINEL_UPSTREAMS";
constexpr const char* kModels = "SENTINEL_MODELS";

/// Reads the members of one mapping of a setting, and complains about those nobody asked for.
class Members {
 public:
  Members(SettingsReader& reader, const char* setting, const Node& node)
      : reader_(reader), setting_(setting), node_(node) {}

  std::string text(const std::string& name) {
    known_.push_back(name);
    const Node* member = node_.find(name);
    if (member == nullptr) return {};
    if (member->is_scalar()) return member->text;
    wrong(name + " must be a plain value", *member);
    return {};
  }

  unsigned number(const std::string& name, unsigned most, unsigned otherwise) {
    const std::string value = text(name);
    if (value.empty()) return otherwise;
    unsigned number = 0;
    const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (failed == std::errc() && end == value.data() + value.size() && number <= most) return number;
    wrong(fmt::format("{} must be a whole number up to {}", name, most), *node_.find(name));
    return otherwise;
  }

  void seconds(const std::string& name, std::chrono::milliseconds& into) {
    constexpr unsigned kDay = 86'400;
    if (text(name).empty()) return;
    const unsigned value = number(name, kDay, 0);
    if (value == 0) return wrong(name + " must be more than 0", node_);
    into = std::chrono::seconds(value);
  }

  void wrong(const std::string& what, const Node& where) {
    Error error("proxy.setting", fmt::format("{}: {}", setting_, what), {}, ExitCode::kUsage);
    if (where.line > 0) error.position = where.position();
    reader_.add(std::move(error));
  }

  void wrong(const std::string& what) { wrong(what, node_); }

  void finish() {
    for (const Node::Entry& entry : node_.entries) {
      if (std::find(known_.begin(), known_.end(), entry.key.text) != known_.end()) continue;
      Error error("proxy.setting", fmt::format("{}: there is no '{}' here", setting_, entry.key.text),
                  did_you_mean(entry.key.text, known_), ExitCode::kUsage);
      if (entry.key.line > 0) error.position = entry.key.position();
      reader_.add(std::move(error));
    }
  }

 private:
  SettingsReader& reader_;
  const char* setting_;
  const Node& node_;
  std::vector<std::string> known_;
};

bool fits_header(const std::string& key) {
  return !key.empty() &&
         std::all_of(key.begin(), key.end(), [](char letter) { return letter > 0x20 && letter < 0x7f; });
}

Secret authorization_of(const std::string& key) {
  return Secret("Bearer " + key);
}

std::string read_key(Members& members, const Environment& environment) {
  const std::string variable = members.text("key_env");
  const std::string file = members.text("key_file");
  if (variable.empty() == file.empty()) {
    members.wrong("exactly one of key_env and key_file is needed");
    return {};
  }
  std::string key;
  if (!variable.empty()) {
    key = environment(variable).value_or("");
  } else {
    Result<std::string> read = read_whole_file(file, 4096);
    if (!read.ok()) {
      members.wrong(read.error().message);
      return {};
    }
    key = std::move(*read);
    key.erase(key.find_last_not_of(" \r\n") + 1);
  }
  const std::string& source = variable.empty() ? file : variable;
  if (!fits_header(key)) members.wrong(fmt::format("{} holds no key, or a byte that no header may hold", source));
  return key;
}

void read_upstream(SettingsReader& reader, const Environment& environment, const Node& node, ClientTimes times,
                   std::vector<UpstreamTarget>& into) {
  Members members(reader, kUpstreams, node);
  if (!node.is_mapping()) return members.wrong("each must be a mapping with name, url and a key");
  UpstreamTarget target;
  target.name = members.text("name");
  target.times = times;
  members.seconds("connect_seconds", target.times.connect);
  members.seconds("idle_seconds", target.times.idle);
  const bool taken =
      std::any_of(into.begin(), into.end(), [&](const UpstreamTarget& other) { return other.name == target.name; });
  if (target.name.empty()) members.wrong("name is needed");
  if (taken) members.wrong(fmt::format("the name '{}' is there twice", target.name));
  Result<BaseUrl> url = parse_base_url(members.text("url"));
  if (url.ok()) {
    target.base = std::move(*url);
  } else {
    members.wrong(url.error().message);
  }
  target.authorization = authorization_of(read_key(members, environment));
  members.finish();
  into.push_back(std::move(target));
}

/// OPENAI_API_URL and OPENAI_API_KEY.
void read_single(SettingsReader& reader, ClientTimes times, std::vector<UpstreamTarget>& into) {
  UpstreamTarget target;
  target.name = "openai";
  target.times = times;
  Result<BaseUrl> url = parse_base_url(reader.text("OPENAI_API_URL").value_or("https://api.openai.com/v1"));
  if (url.ok()) {
    target.base = std::move(*url);
  } else {
    reader.add(std::move(url).error().during("reading OPENAI_API_URL"));
  }
  const std::string key = reader.text("OPENAI_API_KEY").value_or("");
  if (key.empty()) {
    reader.wrong("OPENAI_API_KEY", "is needed");
  } else if (!fits_header(key)) {
    reader.wrong("OPENAI_API_KEY", "holds a byte that no header may hold");
  }
  target.authorization = authorization_of(key);
  into.push_back(std::move(target));
}

std::vector<UpstreamDirectory::Offer> read_offers(SettingsReader& reader, const Node& list,
                                                  const std::vector<UpstreamTarget>& upstreams) {
  std::vector<UpstreamDirectory::Offer> offers;
  std::vector<std::string> names;
  for (const UpstreamTarget& upstream : upstreams) names.push_back(upstream.name);
  for (const Node& node : list.items) {
    Members members(reader, kModels, node);
    if (!node.is_mapping()) {
      members.wrong("each of a model must be a mapping with upstream, and perhaps model and weight");
      continue;
    }
    UpstreamDirectory::Offer offer{members.text("upstream"), members.text("model"), members.number("weight", 1000, 1)};
    members.finish();
    if (std::find(names.begin(), names.end(), offer.upstream) == names.end()) {
      const std::string hint = did_you_mean(offer.upstream, names);
      members.wrong(fmt::format("there is no upstream '{}'{}", offer.upstream, hint.empty() ? "" : "; " + hint));
      continue;
    }
    offers.push_back(std::move(offer));
  }
  return offers;
}

void read_models(SettingsReader& reader, UpstreamSettings& settings) {
  const Node models = reader.node(kModels);
  if (models.is_null()) return;
  if (models.is_sequence()) {
    std::vector<UpstreamDirectory::Offer> all;
    for (const UpstreamTarget& upstream : settings.upstreams) all.push_back({upstream.name, {}, 1});
    for (const Node& name : models.items) {
      if (!name.is_scalar() || name.text.empty()) return reader.wrong(kModels, "must be a mapping, or a list of names");
      settings.offers[name.text] = all;
    }
    return;
  }
  if (!models.is_mapping()) return reader.wrong(kModels, "must be a mapping, or a list of names");
  for (const Node::Entry& entry : models.entries) {
    if (!entry.value.is_sequence() || entry.value.items.empty()) {
      reader.wrong(kModels, fmt::format("of '{}' must be a list of who answers for it", entry.key.text));
      continue;
    }
    settings.offers[entry.key.text] = read_offers(reader, entry.value, settings.upstreams);
  }
}

}  // namespace

UpstreamSettings read_upstream_settings(SettingsReader& reader, const Environment& environment, ClientTimes times) {
  UpstreamSettings settings;
  const Node upstreams = reader.node(kUpstreams);
  if (upstreams.is_null()) {
    read_single(reader, times, settings.upstreams);
  } else if (!upstreams.is_sequence() || upstreams.items.empty()) {
    reader.wrong(kUpstreams, "must be a list of mappings");
  } else {
    // Often key_env names it, so it may be there.
    static_cast<void>(reader.text("OPENAI_API_KEY"));
    static_cast<void>(reader.text("OPENAI_API_URL"));
    for (const Node& node : upstreams.items) read_upstream(reader, environment, node, times, settings.upstreams);
  }
  read_models(reader, settings);
  reader.number("SENTINEL_ATTEMPTS", settings.rules.attempts, 1, 10);
  reader.number("SENTINEL_BREAKER_FAILURES", settings.rules.breaker.failures, 1, 1000);
  reader.seconds("SENTINEL_BREAKER_SECONDS", settings.rules.breaker.open);
  return settings;
}

std::shared_ptr<const UpstreamDirectory> make_directory(const UpstreamSettings& settings) {
  return std::make_shared<const UpstreamDirectory>(settings.upstreams, settings.offers, settings.rules);
}

}  // namespace sentinel::proxy
