// SPDX-License-Identifier: Apache-2.0
// systemd's notification protocol (sd_notify(3)), without libsystemd, which has no static archive.
#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace sentinel {

/// Sends one notification ("READY=1"); without a manager that listens it does nothing.
void notify_service_manager(const std::string& state);

/// Says "WATCHDOG=1" at a third of the interval systemd asks for, until destroyed. Nothing when it doesn't ask.
class WatchdogThread {
 public:
  WatchdogThread();
  ~WatchdogThread();
  WatchdogThread(const WatchdogThread&) = delete;
  WatchdogThread& operator=(const WatchdogThread&) = delete;

 private:
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace sentinel
