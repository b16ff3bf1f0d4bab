// SPDX-License-Identifier: Apache-2.0
#include "core/release/docker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/model/json.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kTransfer{900};  // load and pull move whole images
constexpr std::chrono::milliseconds kLook{200};
constexpr const char* kSocket = "/run/docker.sock";
constexpr const char* kDocker = "/usr/bin/docker";
constexpr const char* kCompose1 = "/usr/bin/docker-compose";
constexpr const char* kHowToGet = "the role docker installs it: sentinelctl bootstrap or apply";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

bool daemon_is_away(const CommandResult& done) {
  if (done.status == 0) return false;
  // In the words of docker and compose 2, and of docker-compose 1.29.
  return done.errors.find("Cannot connect to the Docker daemon") != std::string::npos ||
         done.errors.find("Couldn't connect to Docker daemon") != std::string::npos;
}

// Nobody listens, or went away before an answer.
bool daemon_is_away(const Error& error) {
  return error.code == "http.connect" || error.code == "http.answer";
}

Error failure(const std::string& doing, const CommandResult& done) {
  return Error("release.docker", doing + " failed: " + done.reason());
}

Error no_docker(const std::string& what) {
  return Error("release.no-docker", what + " is not on this host", kHowToGet);
}

// RFC 3986, section 2.1. Names of images have slashes, colons and an at sign, which the engine takes as they are.
std::string escaped(const std::string& text) {
  std::string out;
  for (const unsigned char byte : text) {
    if (std::isalnum(byte) != 0 || std::string_view("-._~/:@").find(static_cast<char>(byte)) != std::string_view::npos) {
      out += static_cast<char>(byte);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

// The engine's own words: {"message": text}.
std::string reason(const HttpReply& reply) {
  const auto told = parse_json(reply.body);
  const bool said = told.ok() && told->is_object() && told->contains("message") && told->at("message").is_string();
  return said ? told->at("message").get<std::string>() : fmt::format("status {}", reply.status);
}

std::string containers_with(const std::string& label, bool running) {
  const json filters{{"label", {label}}};
  return fmt::format("/containers/json?all={}&filters={}", !running, escaped(to_text(filters)));
}

/// What `read` takes from an answer.
template <class Read>
auto read_answer(const std::string& asked, const std::string& body, Read read) -> Result<decltype(read(json()))> {
  const auto garbled = [&](const std::string& why) {
    return Error("release.docker", fmt::format("what the engine answers to {} can't be understood: {}", asked, why));
  };
  const auto answer = parse_json(body);
  if (!answer.ok()) return garbled(answer.error().message);
  try {
    return read(*answer);
  } catch (const json::exception& broken) {
    return garbled(broken.what());
  }
}

}  // namespace

EngineCall local_engine() {
  return [](const std::string& method, const std::string& target, const std::string& body, std::chrono::milliseconds limit) {
    HttpRequest request;
    request.url = "http://docker" + target;
    request.socket = kSocket;
    request.method = method;
    request.body = body;
    if (!body.empty()) request.headers["Content-Type"] = "application/json";
    return exchange_http(request, limit);
  };
}

// A question whose answer was lost is asked again: each of them can come twice.
Result<HttpReply> Docker::ask(const std::string& method, const std::string& target, const std::string& body,
                              std::initializer_list<unsigned> good) {
  const auto failed = [&](const std::string& why) {
    return Error("release.docker", fmt::format("asking the engine {} {}: {}", method, target, why));
  };
  const auto deadline = clock_.since_boot() + patience_;
  while (true) {
    auto told = engine_(method, target, body, patience_);
    if (told.ok() && std::find(good.begin(), good.end(), told->status) != good.end()) return told;
    if (told.ok()) return failed(reason(*told));
    if (!daemon_is_away(told.error()) || clock_.since_boot() >= deadline) return failed(told.error().message);
    SENTINEL_TRY(const auto program, machine_.status(kDocker));
    if (program.type == FileType::kAbsent) return no_docker("Docker");
    clock_.sleep(kLook);
  }
}

Result<CommandResult> Docker::run(std::vector<std::string> argv, std::string input, std::chrono::seconds patience) {
  const auto deadline = clock_.since_boot() + patience_;
  const CommandLine command{std::move(argv), std::move(input), {{"COMPOSE_IGNORE_ORPHANS", "true"}}, patience, {}};
  while (true) {
    SENTINEL_TRY(auto done, machine_.run(command));
    if (done.status == 127) return no_docker(command.argv.front());
    if (!daemon_is_away(done) || clock_.since_boot() >= deadline) return done;
    clock_.sleep(kLook);
  }
}

Result<std::vector<std::string>> Docker::compose_command() {
  if (!compose_.empty()) return compose_;
  SENTINEL_TRY(const auto plugin, run({"docker", "compose", "version"}, {}, patience_));
  // docker-compose is not asked for its version: that alone takes it half a second.
  SENTINEL_TRY(const auto program, machine_.status(kCompose1));
  if (plugin.status == 0) {
    compose_ = {"docker", "compose"};
  } else if (program.type != FileType::kAbsent) {
    compose_ = {"docker-compose"};
  } else {
    return no_docker("compose");
  }
  return compose_;
}

Result<void> Docker::compose(const std::string& project, const std::string& file, std::vector<std::string> arguments) {
  SENTINEL_TRY(auto argv, compose_command());
  const auto doing = fmt::format("{} {}", fmt::join(argv, " "), fmt::join(arguments, " "));
  for (const auto& option : {std::string("--project-name"), project, std::string("--file"), file}) {
    argv.push_back(option);
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  SENTINEL_TRY(const auto done, run(std::move(argv), {}, patience_));
  if (done.status != 0) return failure(doing, done);
  return {};
}

Result<void> Docker::check() {
  SENTINEL_CHECK(ask("GET", "/version", {}, {200}));
  SENTINEL_CHECK(compose_command());
  return {};
}

Result<std::optional<Container>> Docker::container(const std::string& name) {
  const auto target = fmt::format("/containers/{}/json", escaped(name));
  SENTINEL_TRY(const auto reply, ask("GET", target, {}, {200, 404}));
  if (reply.status == 404) return std::optional<Container>();
  return read_answer(target, reply.body, [](const json& told) {
    Container out;
    told.at("Id").get_to(out.id);
    told.at("RestartCount").get_to(out.restarts);
    const auto& state = told.at("State");
    const auto status = state.at("Status").get<std::string>();
    out.running = status == "running";
    out.ended = status == "exited" || status == "dead";
    state.at("ExitCode").get_to(out.exit_status);
    state.at("OOMKilled").get_to(out.out_of_memory);
    state.at("StartedAt").get_to(out.started);
    return std::optional(out);
  });
}

Result<void> Docker::start(const std::string& name) {
  SENTINEL_CHECK(ask("POST", fmt::format("/containers/{}/start", escaped(name)), {}, {204, 304}));
  return {};
}

Result<void> Docker::kill(const std::string& name) {
  SENTINEL_CHECK(ask("POST", fmt::format("/containers/{}/kill", escaped(name)), {}, {204, 404, 409}));
  return {};
}

Result<void> Docker::rename(const std::string& name, const std::string& to) {
  SENTINEL_CHECK(ask("POST", fmt::format("/containers/{}/rename?name={}", escaped(name), escaped(to)), {}, {204, 404}));
  return {};
}

Result<void> Docker::remove(const std::string& name) {
  SENTINEL_CHECK(ask("DELETE", fmt::format("/containers/{}?force=true", escaped(name)), {}, {204, 404}));
  return {};
}

Result<void> Docker::restart_policy(const std::string& name, const std::string& policy) {
  const json wanted{{"RestartPolicy", {{"Name", policy}}}};
  SENTINEL_CHECK(ask("POST", fmt::format("/containers/{}/update", escaped(name)), to_text(wanted), {200, 404}));
  return {};
}

Result<std::vector<std::string>> Docker::labelled(const std::string& label, bool running) {
  const auto target = containers_with(label, running);
  SENTINEL_TRY(const auto reply, ask("GET", target, {}, {200}));
  return read_answer(target, reply.body, [](const json& told) {
    std::vector<std::string> out;
    for (const auto& one : told.get_ref<const json::array_t&>()) out.push_back(one.at("Id").get<std::string>());
    return out;
  });
}

Result<std::map<std::string, bool>> Docker::label_values(const std::string& label) {
  const auto target = containers_with(label, false);
  SENTINEL_TRY(const auto reply, ask("GET", target, {}, {200}));
  return read_answer(target, reply.body, [&](const json& told) {
    std::map<std::string, bool> out;
    for (const auto& one : told.get_ref<const json::array_t&>()) {
      const auto state = one.at("State").get<std::string>();
      auto& runs = out[one.at("Labels").at(label).get<std::string>()];
      runs = runs || (state != "exited" && state != "dead" && state != "created");
    }
    return out;
  });
}

Result<std::optional<ImageState>> Docker::image(const std::string& name) {
  const auto target = fmt::format("/images/{}/json", escaped(name));
  SENTINEL_TRY(const auto reply, ask("GET", target, {}, {200, 404}));
  if (reply.status == 404) return std::optional<ImageState>();
  return read_answer(target, reply.body, [](const json& told) {
    ImageState out;
    told.at("Id").get_to(out.id);
    if (told.at("RepoTags").is_array()) told.at("RepoTags").get_to(out.tags);
    return std::optional(out);
  });
}

Result<void> Docker::load_image(std::string archive) {
  SENTINEL_TRY(const auto done, run({"docker", "load", "--quiet"}, std::move(archive), kTransfer));
  if (done.status != 0) return failure("docker load", done);
  return {};
}

Result<void> Docker::pull_image(const std::string& reference) {
  SENTINEL_TRY(const auto done, run({"docker", "pull", "--quiet", reference}, {}, kTransfer));
  if (done.status != 0) return failure("docker pull " + reference, done);
  return {};
}

Result<void> Docker::tag_image(const std::string& image, const std::string& repository, const std::string& tag) {
  const auto target = fmt::format("/images/{}/tag?repo={}&tag={}", escaped(image), escaped(repository), escaped(tag));
  SENTINEL_CHECK(ask("POST", target, {}, {201}));
  return {};
}

Result<void> Docker::remove_image(const std::string& name, bool force) {
  SENTINEL_CHECK(ask("DELETE", fmt::format("/images/{}?force={}", escaped(name), force), {}, {200, 404}));
  return {};
}

std::vector<std::string> Docker::timed_log(const std::string& name, std::size_t lines, const std::string& since) {
  std::vector<std::string> argv{"docker", "logs", "--timestamps", "--tail", std::to_string(lines), name};
  if (!since.empty()) argv.insert(argv.begin() + 2, {"--since", since});
  const auto shown = run(std::move(argv), {}, patience_);
  if (!shown.ok() || shown->status != 0) return {};
  // Its two outputs come apart; the times put them together again.
  auto out = lines_of(shown->output);
  for (auto& line : lines_of(shown->errors)) out.push_back(std::move(line));
  const auto time_of = [](const std::string& line) { return std::string_view(line).substr(0, line.find(' ')); };
  std::stable_sort(out.begin(), out.end(),
                   [&](const std::string& a, const std::string& b) { return time_of(a) < time_of(b); });
  // Docker shows those of just that time, too.
  std::erase_if(out, [&](const std::string& line) { return time_of(line) <= since; });
  return out;
}

std::vector<std::string> Docker::log(const std::string& name, std::size_t lines) {
  auto out = timed_log(name, lines, {});
  for (auto& line : out) line.erase(0, std::min(line.find(' '), line.size() - 1) + 1);
  return out;
}

}  // namespace sentinel
