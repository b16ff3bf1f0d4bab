// SPDX-License-Identifier: Apache-2.0
// redis: {reply: "+PONG" | "-NOAUTH …", config: {name: value}, from: "server" | "file", password: {length} | null,
//         persistence: {name: value}, at_boot: {name: value} as its file says, requirepass by its length}
// Asked without a password: that is the question. Where it answers NOAUTH its file has to say the rest.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "core/checks/byte_exchange.h"
#include "core/checks/families.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr const char* kFile = "/etc/redis/redis.conf";
constexpr int kDeepest = 8;
constexpr std::chrono::milliseconds kLimit{2000};
constexpr std::array kSettings{"appendonly",     "appendfsync", "maxmemory", "maxmemory-policy",
                               "protected-mode", "bind",        "save"};

/// Whole when every command got its answer: each ends with the answer to a PING after it.
Result<std::string> converse(const std::string& commands, std::uint16_t port) {
  ByteQuestion question;
  question.port = port;
  question.bytes = commands + "PING\r\n";
  question.whole = [](std::string_view so_far) {
    return so_far.ends_with("+PONG\r\n") || so_far.starts_with("-NOAUTH") || so_far.starts_with("-DENIED");
  };
  return exchange_bytes(question, kLimit);
}

/// The bulk strings of an answer, in order (RESP: "$<length>\r\n<bytes>\r\n").
std::vector<std::string> bulk_strings(const std::string& answer) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (at < answer.size()) {
    const auto end = answer.find("\r\n", at);
    if (end == std::string::npos) break;
    const auto line = answer.substr(at, end - at);
    at = end + 2;
    if (line.empty() || line.front() != '$') continue;
    const auto length = std::strtol(line.c_str() + 1, nullptr, 10);
    if (length < 0 || at + static_cast<std::size_t>(length) > answer.size()) continue;
    out.push_back(answer.substr(at, static_cast<std::size_t>(length)));
    at += static_cast<std::size_t>(length) + 2;
  }
  return out;
}

/// "name:value" lines of INFO.
json info_of(const std::string& text) {
  auto out = json::object();
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    while (line.ends_with('\r')) line.pop_back();
    const auto colon = line.find(':');
    if (colon != std::string::npos && line.front() != '#') out[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return out;
}

Result<void> ask_server(std::uint16_t port, json& out) {
  std::string commands;
  for (const char* name : kSettings) commands += fmt::format("CONFIG GET {}\r\n", name);
  SENTINEL_TRY(const auto answer, converse(commands, port));
  const auto words = bulk_strings(answer);
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) out["config"][words[i]] = words[i + 1];
  SENTINEL_TRY(const auto password, converse("CONFIG GET requirepass\r\n", port));
  const auto secret = bulk_strings(password);
  if (secret.size() == 2 && !secret[1].empty()) out["password"] = {{"length", secret[1].size()}};
  SENTINEL_TRY(const auto info, converse("INFO persistence\r\n", port));
  const auto texts = bulk_strings(info);
  if (!texts.empty()) out["persistence"] = info_of(texts.front());
  out["from"] = "server";
  return {};
}

/// "name value" lines of redis.conf and what it includes, the last one of a name winning; quotes are no part of a
/// value.
Result<void> read_config(const std::string& file, int depth, Reader& machine, json& config) {
  if (depth > kDeepest) return Error("probe.failed", "redis.conf includes files in a circle");
  SENTINEL_TRY(const auto text, machine.read_file(file));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name;
    std::string value;
    if (!(words >> name) || name.front() == '#') continue;
    std::getline(words >> std::ws, value);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\r' || value.back() == '\t')) value.pop_back();
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    if (name == "include") {
      SENTINEL_CHECK(read_config(value, depth + 1, machine, config));
    } else if (name == "requirepass") {
      config[name] = value.size();
    } else if (std::find(kSettings.begin(), kSettings.end(), name) != kSettings.end()) {
      config[name] = value;
    }
  }
  return {};
}

Result<Answer> look_at_redis(const Inquiry& inquiry) {
  const auto found = inquiry.with.find("port");
  const auto port =
      static_cast<std::uint16_t>(found != inquiry.with.end() && found->is_number() ? found->get<int>() : 6379);
  json out{{"config", json::object()},
           {"password", nullptr},
           {"persistence", json::object()},
           {"from", ""},
           {"at_boot", json::object()}};
  SENTINEL_TRY(const auto pong, converse("", port));
  SENTINEL_CHECK(read_config(kFile, 0, inquiry.machine(), out["at_boot"]));
  out["reply"] = pong.substr(0, pong.find('\r'));
  if (pong.starts_with("+PONG")) {
    SENTINEL_CHECK(ask_server(port, out));
  } else {
    out["config"] = out["at_boot"];
    if (out["config"].contains("requirepass")) out["password"] = {{"length", out["config"]["requirepass"]}};
    out["from"] = "file";
  }
  return Answer{std::move(out), fmt::format("127.0.0.1:{}", port)};
}

}  // namespace

HostProbes redis_probes() {
  return {{"redis", look_at_redis}};
}

}  // namespace sentinel
