// SPDX-License-Identifier: Apache-2.0
#include "core/checks/process_facts.h"

#include <fmt/format.h>

#include <sstream>

#include "core/checks/secret_shape.h"

namespace sentinel {
namespace {

using nlohmann::json;

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool has_option(const std::string& options, const std::string& option) {
  return ("," + options + ",").find("," + option + ",") != std::string::npos;
}

}  // namespace

json parse_process_status(const std::string& text) {
  auto out = json::object();
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto colon = line.find(':');
    if (colon != std::string::npos) out[line.substr(0, colon)] = trimmed(line.substr(colon + 1));
  }
  return out;
}

json parse_mounts(const std::string& text) {
  json out{{"root_read_only", nullptr}, {"tmp", nullptr}};
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string id, parent, device, root, point, options, word, type;
    words >> id >> parent >> device >> root >> point >> options;
    while (words >> word && word != "-") {
    }
    words >> type;
    // The last mount on a point covers those before it.
    if (point == "/") out["root_read_only"] = has_option(options, "ro");
    if (point == "/tmp") out["tmp"] = {{"type", type}, {"options", options}, {"place", device + root}};
  }
  return out;
}

Result<json> process_facts(int pid, Reader& machine) {
  const auto directory = fmt::format("/proc/{}", pid);
  SENTINEL_TRY(const auto text, machine.read_file(directory + "/status"));
  SENTINEL_TRY(const auto mounts, machine.read_file(directory + "/mountinfo"));
  const auto status = parse_process_status(text);
  // Where the host's own /tmp is a mount, every process has one there: private is only another one.
  SENTINEL_TRY(const auto of_the_host, machine.read_file("/proc/1/mountinfo"));
  json out = parse_mounts(mounts);
  const auto host_tmp = parse_mounts(of_the_host).at("tmp");
  if (!out["tmp"].is_null()) out["tmp"]["shared"] = !host_tmp.is_null() && host_tmp.at("place") == out["tmp"]["place"];
  const auto exe = machine.read_link(directory + "/exe");
  constexpr std::string_view kDeleted = " (deleted)";
  out["pid"] = pid;
  out["exe"] = exe.value_or("");
  out["exe_deleted"] = exe.ok() && exe->ends_with(kDeleted);
  const auto uid = status.value("Uid", std::string());
  out["uid"] = uid.substr(0, uid.find('\t'));
  out["no_new_privs"] = status.value("NoNewPrivs", std::string());
  out["seccomp"] = status.value("Seccomp", std::string());
  out["cap_effective"] = status.value("CapEff", std::string());
  out["cap_bounding"] = status.value("CapBnd", std::string());
  return out;
}

Result<json> environment_shape(int pid, const Secret& host_key, Reader& machine) {
  SENTINEL_TRY(const auto text, machine.read_file(fmt::format("/proc/{}/environ", pid)));
  auto out = json::object();
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\0', begin), text.size());
    const auto entry = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    out[std::string(entry.substr(0, equals))] = secret_shape(entry.substr(equals + 1), host_key);
  }
  return out;
}

}  // namespace sentinel
