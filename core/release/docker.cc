// SPDX-License-Identifier: Apache-2.0
#include "core/release/docker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr std::chrono::seconds kTransfer{900};  // load and pull move whole images
constexpr std::chrono::milliseconds kLook{200};
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

bool is_missing(const CommandResult& done) {
  return done.errors.find("No such") != std::string::npos;
}

Error failure(const std::string& doing, const CommandResult& done) {
  return Error("release.docker", doing + " failed: " + done.reason());
}

}  // namespace

Result<CommandResult> Docker::ask(std::vector<std::string> argv, std::string input, std::chrono::seconds patience) {
  const auto deadline = clock_.since_boot() + patience_;
  const CommandLine command{std::move(argv), std::move(input), {{"COMPOSE_IGNORE_ORPHANS", "true"}}, patience, {}};
  while (true) {
    SENTINEL_TRY(auto done, machine_.run(command));
    if (done.status == 127) {
      return Error("release.no-docker", command.argv.front() + " is not on this host", kHowToGet);
    }
    if (!daemon_is_away(done) || clock_.since_boot() >= deadline) return done;
    clock_.sleep(kLook);
  }
}

Result<std::string> Docker::run(std::vector<std::string> arguments, std::string input) {
  const auto& verb = arguments.front();
  const auto patience = verb == "load" || verb == "pull" ? kTransfer : patience_;
  const auto doing = fmt::format("docker {}", fmt::join(arguments, " "));
  arguments.insert(arguments.begin(), "docker");
  SENTINEL_TRY(auto done, ask(std::move(arguments), std::move(input), patience));
  if (done.status != 0) return failure(doing, done);
  return std::move(done.output);
}

Result<std::vector<std::string>> Docker::compose_command() {
  if (!compose_.empty()) return compose_;
  SENTINEL_TRY(const auto plugin, ask({"docker", "compose", "version"}, {}, patience_));
  // docker-compose is not asked for its version: that alone takes it half a second.
  SENTINEL_TRY(const auto program, machine_.status(kCompose1));
  if (plugin.status == 0) {
    compose_ = {"docker", "compose"};
  } else if (program.type != FileType::kAbsent) {
    compose_ = {"docker-compose"};
  } else {
    return Error("release.no-docker", "compose is not on this host", kHowToGet);
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
  SENTINEL_TRY(const auto done, ask(std::move(argv), {}, patience_));
  if (done.status != 0) return failure(doing, done);
  return {};
}

Result<void> Docker::check() {
  SENTINEL_CHECK(run({"version", "--format", "{{.Server.Version}}"}));
  SENTINEL_CHECK(compose_command());
  return {};
}

Result<std::optional<Container>> Docker::container(const std::string& name) {
  SENTINEL_TRY(const auto done,
               ask({"docker", "container", "inspect", "--format",
                    R"({"id": {{json .Id}}, "state": {{json .State}}, "restarts": {{.RestartCount}}})", name},
                   {}, patience_));
  if (done.status != 0 && is_missing(done)) return std::optional<Container>();
  if (done.status != 0) return failure("docker container inspect " + name, done);
  SENTINEL_TRY(const auto json, parse_json(done.output));
  try {
    Container out;
    json.at("id").get_to(out.id);
    json.at("restarts").get_to(out.restarts);
    const auto& state = json.at("state");
    const auto status = state.at("Status").get<std::string>();
    out.running = status == "running";
    out.ended = status == "exited" || status == "dead";
    state.at("ExitCode").get_to(out.exit_status);
    state.at("OOMKilled").get_to(out.out_of_memory);
    state.at("StartedAt").get_to(out.started);
    return std::optional(out);
  } catch (const nlohmann::json::exception& broken) {
    return Error("release.docker", fmt::format("what docker says of {} can't be understood: {}", name, broken.what()));
  }
}

Result<void> Docker::restart_policy(const std::string& name, const std::string& policy) {
  SENTINEL_TRY(const auto done, ask({"docker", "update", "--restart", policy, name}, {}, patience_));
  if (done.status == 0 || is_missing(done)) return {};
  return failure("docker update " + name, done);
}

Result<std::vector<std::string>> Docker::labelled(const std::string& label, bool running) {
  std::vector<std::string> arguments{"ps", "--quiet", "--no-trunc", "--filter", "label=" + label};
  if (!running) arguments.emplace_back("--all");
  SENTINEL_TRY(const auto ids, run(std::move(arguments)));
  return lines_of(ids);
}

Result<std::map<std::string, bool>> Docker::label_values(const std::string& label) {
  SENTINEL_TRY(const auto told, run({"ps", "--all", "--filter", "label=" + label, "--format",
                                     fmt::format(R"({{{{.State}}}} {{{{.Label "{}"}}}})", label)}));
  std::map<std::string, bool> out;
  for (const auto& line : lines_of(told)) {
    const auto space = line.find(' ');
    if (space == std::string::npos) continue;
    const auto state = line.substr(0, space);
    auto& runs = out[line.substr(space + 1)];
    runs = runs || (state != "exited" && state != "dead" && state != "created");
  }
  return out;
}

Result<std::optional<ImageState>> Docker::image(const std::string& name) {
  SENTINEL_TRY(const auto done, ask({"docker", "image", "inspect", "--format",
                                     R"({"id": {{json .Id}}, "tags": {{json .RepoTags}}})", name},
                                    {}, patience_));
  if (done.status != 0 && is_missing(done)) return std::optional<ImageState>();
  if (done.status != 0) return failure("docker image inspect " + name, done);
  SENTINEL_TRY(const auto json, parse_json(done.output));
  try {
    ImageState out;
    json.at("id").get_to(out.id);
    if (json.at("tags").is_array()) json.at("tags").get_to(out.tags);
    return std::optional(out);
  } catch (const nlohmann::json::exception& broken) {
    return Error("release.docker", fmt::format("what docker says of {} can't be understood: {}", name, broken.what()));
  }
}

std::vector<std::string> Docker::timed_log(const std::string& name, std::size_t lines, const std::string& since) {
  std::vector<std::string> argv{"docker", "logs", "--timestamps", "--tail", std::to_string(lines), name};
  if (!since.empty()) argv.insert(argv.begin() + 2, {"--since", since});
  const auto shown = ask(std::move(argv), {}, patience_);
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
