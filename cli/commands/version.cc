// SPDX-License-Identifier: Apache-2.0
// `version`: of this program, of the protocol it speaks, and of the agent it would put on a host.
#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/shipped_assets.h"
#include "core/wire/messages.h"

namespace sentinel {
namespace {

class VersionCommand final : public Subcommand {
 public:
  std::string name() const override { return "version"; }
  std::string summary() const override { return "the version of this program and of its agent"; }

  ExitCode run(const Context& context) override {
    const auto agents = shipped_agents();
    Document list = Document::array();
    std::string text = fmt::format("sentinelctl {} (protocol {})\n", SENTINEL_VERSION, kProtocol);
    if (agents.ok()) {
      for (const auto& [architecture, agent] : *agents) {
        list.push_back({{"architecture", architecture}, {"sha256", agent.sha256}, {"bytes", agent.bytes.size()}});
        text += fmt::format("agent for {}: {}\n", architecture, agent.sha256);
      }
    }
    context.console.data(text);
    context.console.document(
        {{"schema_version", kSchemaVersion}, {"version", SENTINEL_VERSION}, {"protocol", kProtocol}, {"agents", list}});
    return ExitCode::kDone;
  }
};

}  // namespace

std::unique_ptr<Subcommand> make_version_command() { return std::make_unique<VersionCommand>(); }

}  // namespace sentinel
