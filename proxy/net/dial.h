// SPDX-License-Identifier: Apache-2.0
// A connection to a service by name or address, plain or by TLS, for what isn't HTTP.
#pragma once

#include <memory>
#include <string>

#include "proxy/net/name_resolver.h"
#include "proxy/net/stream.h"

namespace sentinel::proxy {

/// What connections to a service are made with; both may be shared by workers.
struct DialTools {
  NameResolver* names = nullptr;    ///< null: only addresses can be connected to
  std::shared_ptr<TlsTrust> trust;  ///< null: no TLS
};

struct Dialled {
  std::unique_ptr<Stream> stream;  ///< null: no address answered as it should
  std::string failure;             ///< then, if it was TLS: why
};

/// Tries every address of the origin, each for at most `each`, TLS included; as long again for its name.
Task<Dialled> dial(Loop& loop, DialTools tools, Origin origin, std::chrono::milliseconds each);

}  // namespace sentinel::proxy
