// SPDX-License-Identifier: Apache-2.0
#include "core/base/service_manager.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include <catch2/catch.hpp>

#include "core/base/descriptor.h"

using namespace sentinel;

TEST_CASE("A notification arrives in the abstract namespace, and nobody there is no trouble") {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "sentinel-notify-test-" + std::to_string(getpid());
  memcpy(address.sun_path + 1, name.data(), name.size());
  const Descriptor manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  REQUIRE(bind(manager.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  REQUIRE(setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1) == 0);
  notify_service_manager("READY=1");
  char heard[64] = {};
  REQUIRE(recv(manager.get(), heard, sizeof heard, MSG_DONTWAIT) == 7);
  CHECK(std::string(heard) == "READY=1");
  REQUIRE(unsetenv("NOTIFY_SOCKET") == 0);
  notify_service_manager("READY=1");
  CHECK(recv(manager.get(), heard, sizeof heard, MSG_DONTWAIT) < 0);
}
