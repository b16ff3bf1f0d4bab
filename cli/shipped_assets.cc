// SPDX-License-Identifier: Apache-2.0
// Everything is looked up relative to the running program, so that an installed tree can be moved.
#include "cli/shipped_assets.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "cli/embedded.h"
#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel {
namespace {

constexpr std::size_t kMaxAgent = 64U << 20;

std::string program_directory() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return length <= 0 ? std::string(".") : parent_directory(std::string(path.data(), static_cast<std::size_t>(length)));
}

std::string this_architecture() {
  utsname name{};
  return uname(&name) == 0 ? name.machine : "x86_64";
}

Result<void> take(AgentBinaries& agents, const std::string& architecture, const std::string& path) {
  auto bytes = read_whole_file(path, kMaxAgent);
  if (!bytes.ok()) return std::move(bytes).error().exits(ExitCode::kUsage).during("reading the agent to put on hosts");
  std::string digest = sha256_hex(*bytes);
  agents[architecture] = AgentBinary{std::move(digest), std::move(*bytes)};
  return {};
}

}  // namespace

Assets shipped_assets() {
  std::vector<EmbeddedFile> embedded;
  for (const auto* files : {&reference_files(), &template_files(), &playbook_files()}) {
    embedded.insert(embedded.end(), files->begin(), files->end());
  }
  return Assets({program_directory() + "/../share/sentinel"}, std::move(embedded));
}

Result<AgentBinaries> shipped_agents() {
  AgentBinaries agents;
  if (const char* named = std::getenv("SENTINEL_AGENT"); named != nullptr && *named != '\0') {
    SENTINEL_CHECK(take(agents, this_architecture(), named));
    return agents;
  }
  const std::string beside = program_directory();
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(beside + "/../lib/sentinel", ignored)) {
    const std::string path = entry.path().string() + "/sentinel-agent";
    if (access(path.c_str(), R_OK) == 0) SENTINEL_CHECK(take(agents, entry.path().filename().string(), path));
  }
  if (!agents.empty()) return agents;
  for (const char* place : {"/sentinel-agent", "/../agent/sentinel-agent"}) {
    const std::string path = beside + place;
    if (access(path.c_str(), R_OK) != 0) continue;
    SENTINEL_CHECK(take(agents, this_architecture(), path));
    return agents;
  }
  return Error("agent.not-found", "the agent that belongs to this sentinelctl is not where it should be",
               "install the whole package, or name the file in SENTINEL_AGENT", ExitCode::kUsage);
}

}  // namespace sentinel
