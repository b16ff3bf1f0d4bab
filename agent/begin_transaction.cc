// SPDX-License-Identifier: Apache-2.0
#include "agent/begin_transaction.h"

#include <fmt/format.h>

#include "agent/installation.h"

namespace sentinel::agent {

Result<LocalConnection> begin_transaction(HostState& host, const TransactionOrder& order) {
  const auto& id = order.handover.begin.transaction;
  SENTINEL_TRY(const auto known, host.machine.status(host.directory.log(id)));
  if (known.type != FileType::kAbsent) {
    return Error("journal.known-transaction", "this plan was applied already",
                 "a plan can be applied once; make a new one", ExitCode::kStalePlan);
  }
  SENTINEL_CHECK(take_charge(host.machine));
  const std::string unit = fmt::format("sentinel-transaction@{}.service", id);
  SENTINEL_TRY(const auto started,
               host.machine.run({{"systemctl", "start", unit}, {}, {}, std::chrono::seconds(60), {}}));
  if (started.status != 0)
    return Error("transaction.not-started", "systemd did not start the transaction: " + started.errors);
  SENTINEL_TRY(auto owner, LocalConnection::connect(host.directory.socket(id)));
  std::string frames = encode_message(FrameType::kRequest, order.request) + encode_secrets(order.secrets);
  for (const auto& [digest, bytes] : order.contents) frames += encode_content({digest, false, bytes.size()}, bytes);
  frames += encode_message(FrameType::kBegin, order.handover);
  SENTINEL_CHECK(owner.send(frames));
  return owner;
}

}  // namespace sentinel::agent
