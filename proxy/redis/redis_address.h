// SPDX-License-Identifier: Apache-2.0
// Where Redis is: redis[s]://[[user]:password@]host[:port][/database], or unix://[[user]:password@]/path[?db=database].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "proxy/net/url.h"

namespace sentinel::proxy {

struct RedisAddress {
  Origin origin;
  std::string user;  ///< empty: the default user
  Secret password;   ///< empty: none is sent
  unsigned database = 0;
};

/// Error `proxy.redis-url` (usage). The text isn't shown: a password may stand in it.
Result<RedisAddress> parse_redis_url(std::string_view text);

}  // namespace sentinel::proxy
