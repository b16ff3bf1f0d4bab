// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/routes.h"

namespace sentinel::proxy {
namespace {

bool fits(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return pattern == path;
  pattern.remove_suffix(1);
  return path.starts_with(pattern);
}

}  // namespace

RouteMatch find_route(const std::vector<Route>& routes, std::string_view method, std::string_view path) {
  RouteMatch match;
  bool exact = false;
  for (const Route& route : routes) {
    const bool open_ended = route.path.ends_with('*');
    // A path that a route names is nobody else's, whatever the method.
    if (!fits(route.path, path) || (exact && open_ended)) continue;
    exact = exact || !open_ended;
    if (match.allow.empty()) match.access = route.access;
    if (route.method == method || route.method == "*" || (route.method == "GET" && method == "HEAD")) {
      match.route = &route;
      match.access = route.access;
      return match;
    }
    match.allow.append(match.allow.empty() ? "" : ", ").append(route.method);
  }
  return match;
}

}  // namespace sentinel::proxy
