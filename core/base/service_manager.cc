// SPDX-License-Identifier: Apache-2.0
// A datagram to $NOTIFY_SOCKET; a leading @ means the abstract namespace.
#include "core/base/service_manager.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/descriptor.h"

namespace sentinel {

void notify_service_manager(const std::string& state) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || path[0] == '\0' || strlen(path) >= sizeof address.sun_path) return;
  const std::size_t length = strlen(path);
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return;
  // Best effort by nature: a manager that doesn't hear READY=1 ends us by its own timeout.
  static_cast<void>(::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)));
}

WatchdogThread::WatchdogThread() {
  const char* microseconds = getenv("WATCHDOG_USEC");
  if (microseconds == nullptr) return;
  const int interval_ms = static_cast<int>(strtoull(microseconds, nullptr, 10) / 3000);
  if (interval_ms <= 0) return;
  wake_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([fd = wake_, interval_ms] {
    pollfd waiting{fd, POLLIN, 0};
    do {
      notify_service_manager("WATCHDOG=1");
    } while (::poll(&waiting, 1, interval_ms) == 0);
  });
}

WatchdogThread::~WatchdogThread() {
  if (!thread_.joinable()) return;
  eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
}

}  // namespace sentinel
