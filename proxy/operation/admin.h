// SPDX-License-Identifier: Apache-2.0
// The admin socket's own requests, by which a release takes over from the one before it:
//   GET /admin/state    what the process does, how many connections it has
//   POST /admin/accept  begin to accept on the service's sockets, also after a hold
//   POST /admin/hold    stop accepting, serve what is queued, go on with what is under way
//   POST /admin/drain   as SIGTERM: stop accepting, end what is under way, end
// Who may connect to the socket's file may give the commands.
#pragma once

#include <string>

#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {

/// Called on the main loop's thread.
class AdminCommands {
 public:
  virtual ~AdminCommands() = default;
  /// Begins to accept; nothing when it does already. False: it drains, and never will again.
  virtual bool accept() = 0;
  /// Stops accepting until accept(); nothing when it does not accept yet. False: it drains.
  virtual bool hold() = 0;
  virtual void drain() = 0;
  /// A JSON object: state ("waiting", "accepting", "holding", "draining"), version, pid, connections.
  virtual std::string state() const = 0;
};

class AdminHandler final : public Handler {
 public:
  /// Null only where no route leads here.
  explicit AdminHandler(AdminCommands* commands) : commands_(commands) {}

  Task<void> handle(RequestContext& context) override;

 private:
  AdminCommands* commands_;
};

}  // namespace sentinel::proxy
