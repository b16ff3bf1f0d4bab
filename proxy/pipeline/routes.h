// SPDX-License-Identifier: Apache-2.0
// Which handler answers a request. A route is data; a new endpoint is a handler and a line where the worker is built.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/pipeline/request_context.h"

namespace sentinel::proxy {

/// Answers the requests of one endpoint. One instance per worker, many requests at once.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Task<void> handle(RequestContext& context) = 0;
};

enum class Access { kOpen, kUsers };

struct Route {
  std::string_view method;  ///< HEAD goes where GET goes; "*": any
  std::string_view path;    ///< exact; with a trailing '*' everything that begins so
  std::string_view endpoint;
  Access access = Access::kUsers;  ///< kUsers: authenticated and counted before the handler runs
  Handler* handler = nullptr;
};

struct RouteMatch {
  const Route* route = nullptr;   ///< null: none for this method
  std::string allow;              ///< methods the path knows; empty: no such path
  Access access = Access::kOpen;  ///< of the path, also when the method is wrong
};

/// The first route that fits wins; exact paths come before open-ended ones.
RouteMatch find_route(const std::vector<Route>& routes, std::string_view method, std::string_view path);

}  // namespace sentinel::proxy
