// SPDX-License-Identifier: Apache-2.0
// Every socket the process listens on, made before anything else starts.
#pragma once

#include <optional>
#include <vector>

#include "proxy/net/listen.h"
#include "proxy/operation/settings.h"

namespace sentinel::proxy {

struct Listeners {
  std::vector<Descriptor> api;
  std::vector<Descriptor> operators;
  std::optional<Descriptor> admin;
  std::vector<SocketFile> files;  ///< removed when the process ends
};

/// `environment` holds what the service manager handed over. Errors `proxy.listen`.
Result<Listeners> open_listeners(const Settings& settings, const Environment& environment);

}  // namespace sentinel::proxy
