// SPDX-License-Identifier: Apache-2.0
// Answers GET requests on a loopback port from texts that are handed in: /metrics and /status of the watch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/descriptor.h"
#include "core/base/result.h"

namespace sentinel::agent {

/// One connection at a time, each with a time limit; nothing a client does makes it grow.
class StatusServer {
 public:
  struct Page {
    std::string type;
    std::string text;
  };

  /// What stands at a path; an empty type: nothing does. Called in the server's thread.
  using Pages = std::function<Page(const std::string& path)>;

  /// Listens on 127.0.0.1. Error `system.EADDRINUSE`, or whatever the system says.
  static Result<std::unique_ptr<StatusServer>> open(std::uint16_t port, Pages pages);
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

 private:
  StatusServer(Descriptor listener, Descriptor stop, Pages pages);
  void run();
  void answer(const Descriptor& connection);

  Descriptor listener_;
  Descriptor stop_;
  Pages pages_;
  std::thread thread_;
};

}  // namespace sentinel::agent
