// SPDX-License-Identifier: Apache-2.0
#include "proxy/operation/listeners.h"

namespace sentinel::proxy {
namespace {

constexpr mode_t kAdminMode = 0600;

}  // namespace

Result<Listeners> open_listeners(const Settings& settings, const Environment& environment) {
  InheritedSockets inherited(environment("LISTEN_PID").value_or(""), environment("LISTEN_FDS").value_or(""),
                             environment("LISTEN_FDNAMES").value_or(""));
  Listeners listeners;
  const auto open = [&](const ListenAddress& address, std::vector<Descriptor>& into) -> Result<void> {
    if (address.kind == ListenAddress::Kind::kInherited) {
      SENTINEL_TRY(std::vector<Descriptor> taken, inherited.take(address.name));
      for (Descriptor& descriptor : taken) into.push_back(std::move(descriptor));
    } else if (address.kind == ListenAddress::Kind::kUnix) {
      SENTINEL_TRY(UnixListener listener, listen_unix(address.name, settings.socket));
      into.push_back(std::move(listener.descriptor));
      listeners.files.push_back(std::move(listener.file));
    } else {
      SENTINEL_TRY(Descriptor listener, listen_tcp(address.name, address.port));
      into.push_back(std::move(listener));
    }
    return {};
  };
  for (const ListenAddress& address : settings.listen) SENTINEL_CHECK(open(address, listeners.api));
  for (const ListenAddress& address : settings.operator_listen) SENTINEL_CHECK(open(address, listeners.operators));
  if (!settings.admin_socket.empty()) {
    SENTINEL_TRY(UnixListener admin, listen_unix(settings.admin_socket, {{}, {}, kAdminMode}));
    listeners.admin = std::move(admin.descriptor);
    listeners.files.push_back(std::move(admin.file));
  }
  return listeners;
}

}  // namespace sentinel::proxy
