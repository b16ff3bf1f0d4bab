// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/upstream_error.h"

#include <fmt/format.h>

#include "proxy/json/usage.h"
#include "proxy/net/status_text.h"
#include "proxy/pipeline/error_body.h"
#include "proxy/pipeline/upstream_call.h"

namespace sentinel::proxy {
namespace {

/// What the client itself can repair: it sees the upstream's own words.
bool is_about_the_request(int status) {
  return status == 400 || status == 404 || status == 409 || status == 413 || status == 415 || status == 422;
}

/// What the client may see as it is: its own mistakes, the pace, and trouble behind the proxy.
int status_for_client(int status) {
  const bool own = is_about_the_request(status) || status == 408 || status == 429;
  return own || (status >= 500 && status < 600) ? status : 502;
}

}  // namespace

UpstreamError upstream_error(const ResponseHead& head, std::string_view body, const UpstreamTarget& target,
                             bool real_status) {
  UpstreamError error;
  error.message = fmt::format("OpenAI error {} {}", head.status, status_text(head.status));
  if (const std::optional<std::chrono::seconds> later = retry_after(head)) {
    error.fields = fmt::format("Retry-After: {}\r\n", later->count());
  }
  if (real_status) error.status = status_for_client(head.status);
  std::string_view key = target.authorization.reveal();
  if (const std::size_t blank = key.find(' '); blank != std::string_view::npos) key.remove_prefix(blank + 1);
  const bool names_key = !key.empty() && body.find(key) != std::string_view::npos;
  if (real_status && is_about_the_request(head.status) && !names_key && read_answer(body).valid) {
    error.body = body;
  } else {
    error.body = error_body("UPSTREAM_ERROR", error.message);
  }
  return error;
}

}  // namespace sentinel::proxy
