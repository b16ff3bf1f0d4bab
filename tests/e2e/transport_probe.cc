// SPDX-License-Identifier: Apache-2.0
// One SSH session by core/transport, told as JSON: for tests against real hosts.
//   transport_probe KNOWN_HOSTS KEY DESTINATION [JUMP …] -- COMMAND
// Runs COMMAND with standard input as its input. With several jump hosts the first is reached first.
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/transport/session.h"

using namespace sentinel;

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Result<SshTarget> target_of(const std::string& destination, const std::string& known_hosts, const std::string& key) {
  SENTINEL_TRY(SshRequest request, parse_destination(destination));
  request.identity = key;
  SshEnvironment environment;
  environment.home = "/nowhere";
  SENTINEL_TRY(SshTarget target, resolve_target(request, environment));
  target.known_hosts_files = {known_hosts};
  return target;
}

Result<nlohmann::json> probe(const std::vector<std::string>& arguments, const std::string& command, const std::string& input) {
  std::shared_ptr<const SshTarget> jump;
  for (std::size_t i = 3; i < arguments.size(); ++i) {
    SENTINEL_TRY(SshTarget target, target_of(arguments[i], arguments[0], arguments[1]));
    target.jump = jump;
    jump = std::make_shared<const SshTarget>(std::move(target));
  }
  SENTINEL_TRY(SshTarget target, target_of(arguments[2], arguments[0], arguments[1]));
  target.jump = jump;

  const auto start = std::chrono::steady_clock::now();
  SENTINEL_TRY(const auto session, SshSession::connect(target, ConnectOptions{}));
  const double connected = milliseconds_since(start);
  SENTINEL_TRY(const auto channel, session->exec(command));
  const double started = milliseconds_since(start);
  SENTINEL_TRY(const CommandOutput output, collect(*channel, input, std::chrono::seconds(60)));
  return nlohmann::json{{"connect_ms", connected},
                        {"exec_ms", started - connected},
                        {"total_ms", milliseconds_since(start)},
                        {"known_by", session->host_key().place},
                        {"output", output.output.size() < 1000 ? output.output : ""},
                        {"digest", sha256_hex(output.output)},
                        {"error_output", output.error_output},
                        {"status", output.exit.status.value_or(-1)}};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 5 || arguments[arguments.size() - 2] != "--") return 2;
  const std::string command = arguments.back();
  arguments.resize(arguments.size() - 2);
  const std::string input((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  const auto told = probe(arguments, command, input);
  if (!told.ok()) {
    const Error& error = told.error();
    std::cout << nlohmann::json{{"code", error.code}, {"message", error.message}, {"while", error.context}} << '\n';
    return static_cast<int>(error.exit);
  }
  std::cout << *told << '\n';
  return 0;
}
