// SPDX-License-Identifier: Apache-2.0
// One connection per host; what is asked over it is the command's matter.
#include "cli/survey_hosts.h"

#include "cli/fleet.h"

namespace sentinel {

Result<void> ask_hosts(const Context& context, const Workspace& workspace, const HostQuestion& question) {
  SENTINEL_TRY(const auto access, Access::prepare(context, workspace));
  const auto progress = context.console.json() ? make_silent_progress() : context.console.make_progress();
  access->progress = progress.get();
  const auto visit = [&](std::size_t i) {
    const Host& host = *workspace.hosts[i];
    auto connection = HostConnection::open(*access, host, doors_of(*access, host));
    if (!connection.ok()) return question.failed(i, std::move(connection).error());
    if (auto asked = question.ask(i, **connection, *access); !asked.ok()) question.failed(i, std::move(asked).error());
  };
  for_each_host(workspace.hosts.size(), context.options.parallel, [&](std::size_t i) {
    const auto began = std::chrono::steady_clock::now();
    visit(i);
    if (question.ended) {
      question.ended(i,
                     std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began));
    }
  });
  return {};
}

}  // namespace sentinel
