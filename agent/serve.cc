// SPDX-License-Identifier: Apache-2.0
// One conversation, then the end. What goes wrong with the conversation itself goes to stderr, which the peer shows.
#include "agent/serve.h"

#include <fmt/format.h>

#include "agent/conversation.h"

namespace sentinel::agent {

ExitCode serve() {
  LocalSystem machine;
  SystemClock clock;
  Peer peer;
  Conversation conversation(peer, machine, clock);
  const auto ended = conversation.run();
  if (ended.ok()) return ExitCode::kDone;
  fmt::print(stderr, "sentinel-agent: {}\n", ended.error().message);
  return ended.error().exit;
}

}  // namespace sentinel::agent
