// SPDX-License-Identifier: Apache-2.0
// The strict HTTP/1.1 framer: heads of requests and responses as views into the receive buffer. What two parsers could
// read differently is refused: bare LF, folded lines, spaces before a colon, repeated or joined Content-Length, any
// Transfer-Encoding but exactly "chunked", both at once, control bytes, a missing or second Host (RFC 9112; 400 and
// close).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sentinel::proxy {

struct HeaderField {
  std::string_view name;   ///< as written; compare with same_name()
  std::string_view value;  ///< without the blanks around it
};

/// ASCII case does not matter.
bool same_name(std::string_view a, std::string_view b);

struct HeaderFields {
  std::vector<HeaderField> fields;

  /// The first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// Whether a comma-separated field (all of that name) holds the word.
  bool has_word(std::string_view name, std::string_view word) const;
};

enum class BodyFraming { kNone, kLength, kChunked, kUntilClose };

struct RequestHead {
  std::string_view method;
  std::string_view target;  ///< origin form, begins with '/' (or is "*")
  std::string_view path;    ///< target up to '?'
  std::string_view query;   ///< behind '?', without it
  int minor_version = 1;
  HeaderFields headers;
  BodyFraming framing = BodyFraming::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  HeaderFields headers;
  BodyFraming framing = BodyFraming::kNone;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
};

struct HeadLimits {
  std::size_t bytes = std::size_t{32} << 10;
  std::size_t fields = 100;
};

enum class HeadStatus {
  kIncomplete,
  kComplete,
  kBad,           ///< 400
  kTooLarge,      ///< 431
  kBadVersion,    ///< 505
  kBadExpect,     ///< 417
  kNotSupported,  ///< 501: a transfer coding we don't speak
};

struct HeadResult {
  HeadStatus status;
  std::size_t size = 0;     ///< bytes of the head, when complete
  const char* reason = "";  ///< for the log and the error body, when refused
};

/// `bytes` begin with the head. `scanned` is kept by the caller between calls for one head, so that a dripping peer
/// costs no repeated scanning; begin with 0.
HeadResult parse_request_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                              RequestHead& head);
/// The answer to a request of `method` (a HEAD has no body).
HeadResult parse_response_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                               std::string_view method, ResponseHead& head);

/// A token of RFC 9110: letters, digits and !#$%&'*+-.^_`|~.
bool is_token(std::string_view text);

}  // namespace sentinel::proxy
