// SPDX-License-Identifier: Apache-2.0
// Defaults are those of the reference file; here stand only meanings.
#include "core/config/health_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <limits>

#include "core/config/fields.h"
#include "core/config/reference.h"
#include "core/config/scalar_types.h"

namespace sentinel {
namespace {

/// Of a field that was checked, and is missing at most in a mapping with mistakes.
std::uint32_t milliseconds_field(const Node& node, std::string_view key, std::uint32_t fallback) {
  const auto seconds = parse_duration(text_field(node, key));
  if (!seconds.ok()) return fallback;
  const std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{*seconds} * 1000, most));
}

double share_field(const Node& node, std::string_view key, double fallback) {
  const std::string text = text_field(node, key);
  return text.empty() ? fallback : std::strtod(text.c_str(), nullptr) / 100;
}

void wrong(const Node& at, std::string what, std::string hint, Diagnostics& diagnostics) {
  diagnostics.add(Error("health.probe", std::move(what), std::move(hint), ExitCode::kUsage).at(at.position()));
}

void check_url(const Node& url, Diagnostics& diagnostics) {
  if (url.text.starts_with("http://") || url.text.starts_with("https://")) return;
  wrong(url, "not a URL that can be asked", "write http://host:port/path or https://…", diagnostics);
}

// By what such headers are called; plans and the host's records would show their values.
bool holds_credential(std::string header) {
  for (char& c : header) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::array<std::string_view, 7> kWords{"auth",     "cookie",  "token", "secret",
                                                   "password", "api-key", "apikey"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return header.find(word) != std::string::npos; });
}

class HealthReader {
 public:
  HealthReader(std::uint16_t port, Diagnostics& diagnostics) : port_(port), diagnostics_(diagnostics) {}

  HealthSettings read(const Node& given) {
    const Schema& schema = *find_reference("project")->schema.key("health");
    const Node health = with_defaults(given, schema);
    if (given.find("startup") != nullptr)
      add("startup", ProbeKind::kStartup, mapping_field(given, "startup"), mapping_field(health, "startup"));
    add("ready", ProbeKind::kReadiness, mapping_field(given, "ready"), mapping_field(health, "ready"));
    if (given.find("live") != nullptr)
      add("live", ProbeKind::kLiveness, mapping_field(given, "live"), mapping_field(health, "live"));
    if (const Node* list = given.find("verify")) {
      for (const auto& item : list->items) {
        add(text_field(item, "name"), ProbeKind::kVerify, item, with_defaults(item, *schema.key("verify")->of));
      }
    }
    out_.gate.deadline_ms = milliseconds_field(health, "start", out_.gate.deadline_ms);
    out_.gate.start_period_ms = milliseconds_field(health, "start_period", out_.gate.start_period_ms);
    const Node bake = mapping_field(health, "bake");
    out_.bake.time_ms = milliseconds_field(bake, "time", out_.bake.time_ms);
    out_.bake.errors = share_field(bake, "errors", out_.bake.errors);
    out_.bake.min_requests = static_cast<std::uint64_t>(int_field(bake, "min_requests", 50));
    return std::move(out_);
  }

 private:
  /// `node` is `given` with the defaults.
  void add(const std::string& name, ProbeKind kind, const Node& given, const Node& node) {
    const bool twice =
        std::any_of(out_.probes.begin(), out_.probes.end(), [&](const Probe& other) { return other.name == name; });
    if (twice) {
      diagnostics_.add(Error("health.duplicate-probe", fmt::format("two probes are called '{}'", name),
                             "startup, ready and live are names of the probes of these keys")
                           .at(node.position()));
    }
    Probe probe;
    probe.name = name;
    probe.kind = kind;
    probe.interval_ms = milliseconds_field(node, "interval", probe.interval_ms);
    probe.timeout_ms = milliseconds_field(node, "timeout", probe.timeout_ms);
    probe.successes = static_cast<std::uint32_t>(int_field(node, "successes", probe.successes));
    probe.failures = static_cast<std::uint32_t>(int_field(node, "failures", probe.failures));
    probe.target = target_of(node, given);
    out_.probes.push_back(std::move(probe));
  }

  ProbeTarget target_of(const Node& node, const Node& given) {
    if (given.find("tcp") != nullptr) return tcp(node);
    if (given.find("command") != nullptr) return CommandProbe{list_field(node, "command")};
    if (given.find("unit") != nullptr) return UnitProbe{text_field(node, "unit")};
    if (given.find("container") != nullptr) {
      ContainerProbe out;
      out.container = text_field(node, "container");
      return out;
    }
    if (given.find("prometheus") != nullptr) return prometheus(mapping_field(node, "prometheus"));
    return http(node);
  }

  HttpProbe http(const Node& node) {
    HttpProbe out;
    out.url = text_field(node, "url");
    if (out.url.empty()) {
      out.url = fmt::format("http://127.0.0.1:{}{}", port_, text_field(node, "path"));
    } else {
      check_url(*node.find("url"), diagnostics_);
    }
    out.method = text_field(node, "method", out.method);
    for (const auto& entry : mapping_field(node, "headers").entries) {
      out.headers[entry.key.text] = entry.value.text;
      check_header(entry);
    }
    out.body = text_field(node, "body");
    out.contains = text_field(node, "contains");
    out.ca_file = text_field(node, "ca_file");
    for (const auto& status : list_field(node, "status")) {
      const long value = std::strtol(status.c_str(), nullptr, 10);
      if (value < 100 || value > 599) {
        wrong(*node.find("status"), fmt::format("'{}' is no status of HTTP", status), "they go from 100 to 599");
      } else {
        out.statuses.push_back(static_cast<std::uint16_t>(value));
      }
    }
    return out;
  }

  void check_header(const Node::Entry& header) {
    const auto& name = header.key.text;
    if (!holds_credential(name) || header.value.text.find("secrets.") != std::string::npos) return;
    Position where = header.key.position();
    where.source_line.clear();  // the value stands there
    diagnostics_.add(Error("health.literal-credential", fmt::format("the header {} holds its value itself", name),
                           fmt::format("name a secret of the project: {}: \"{{{{ secrets.NAME }}}}\"", name),
                           ExitCode::kUsage)
                         .at(where));
  }

  TcpProbe tcp(const Node& node) {
    const std::string text = text_field(node, "tcp");
    const auto colon = text.rfind(':');
    TcpProbe out;
    out.host = text.substr(0, colon == std::string::npos ? 0 : colon);
    if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
    const auto port = parse_port(colon == std::string::npos ? text : text.substr(colon + 1));
    if (out.host.empty() || !port.ok()) {
      wrong(*node.find("tcp"), fmt::format("'{}' names no host and port", text), "write 127.0.0.1:6379, or [::1]:6379");
    } else {
      out.port = *port;
    }
    return out;
  }

  PrometheusProbe prometheus(const Node& node) {
    constexpr std::array<Comparison, 5> kLongestFirst{Comparison::kAtMost, Comparison::kAtLeast, Comparison::kEqual,
                                                      Comparison::kBelow, Comparison::kAbove};
    PrometheusProbe out;
    out.url = text_field(node, "url");
    if (const Node* url = node.find("url")) check_url(*url, diagnostics_);
    out.query = text_field(node, "query");
    const std::string holds = text_field(node, "holds");
    for (const Comparison comparison : kLongestFirst) {
      const std::string sign = sign_of(comparison);
      if (!holds.starts_with(sign)) continue;
      const std::string number = holds.substr(sign.size());
      char* end = nullptr;
      out.value = std::strtod(number.c_str(), &end);
      out.comparison = comparison;
      if (end != number.c_str() && *end == '\0') return out;
      break;
    }
    if (const Node* value = node.find("holds")) {
      wrong(*value, fmt::format("'{}' is no comparison", holds), "write \"< 0.5\"; the signs are < <= > >= ==");
    }
    return out;
  }

  void wrong(const Node& at, std::string what, std::string hint) {
    sentinel::wrong(at, std::move(what), std::move(hint), diagnostics_);
  }

  std::uint16_t port_;
  Diagnostics& diagnostics_;
  HealthSettings out_;
};

}  // namespace

HealthSettings read_health(const Node& health, std::uint16_t port, Diagnostics& diagnostics) {
  return HealthReader(port, diagnostics).read(health.is_mapping() ? health : mapping_node());
}

WatchSettings read_watch(const Node& health, const std::string& app, const HealthSettings& settings,
                         Diagnostics& diagnostics) {
  const Schema& schema = *find_reference("project")->schema.key("health")->key("watch");
  const Node watch = with_defaults(health.is_mapping() ? mapping_field(health, "watch") : mapping_node(), schema);
  WatchSettings out;
  out.app = app;
  out.port = static_cast<std::uint16_t>(int_field(watch, "port", out.port));
  out.rollback_window_ms = milliseconds_field(watch, "rollback", out.rollback_window_ms);
  out.start_period_ms = settings.gate.start_period_ms;
  for (Probe probe : settings.probes) {
    if (probe.kind != ProbeKind::kReadiness && probe.kind != ProbeKind::kLiveness) continue;
    probe.timeout_ms = std::min(probe.timeout_ms, kMostWatchTimeoutMs);
    out.probes.push_back(std::move(probe));
  }
  if (const Node* list = watch.find("webhooks")) {
    for (const auto& item : list->items) {
      if (const Node* url = item.find("url")) check_url(*url, diagnostics);
      out.webhooks.push_back({text_field(item, "url"), text_field(item, "secret_file"), text_field(item, "ca_file")});
    }
  }
  return out;
}

}  // namespace sentinel
