// SPDX-License-Identifier: Apache-2.0
// The HTTP edge: heads of requests and responses, and bodies in chunks. However the bytes arrive, the outcome is the
// same; and what is accepted holds nothing that two parsers could read differently.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/net/body_decoder.h"
#include "proxy/net/http_head.h"

using namespace sentinel::proxy;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_fields(const HeaderFields& headers) {
  std::size_t framings = 0;
  for (const HeaderField& field : headers.fields) {
    require(is_token(field.name));
    for (const char letter : field.value) require(letter != '\r' && letter != '\n' && letter != '\0');
    framings += same_name(field.name, "content-length") || same_name(field.name, "transfer-encoding") ? 1 : 0;
  }
  require(framings <= 1);
}

/// With one byte more each time, as a dripping peer sends it.
template <typename Parse>
void check_drip(std::string_view bytes, const HeadResult& whole, Parse parse) {
  std::size_t scanned = 0;
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const HeadResult part = parse(bytes.substr(0, size), scanned);
    if (part.status == HeadStatus::kIncomplete) continue;
    require(part.status == whole.status && part.size == whole.size);
    return;
  }
  require(whole.status == HeadStatus::kIncomplete);
}

void check_body(std::string_view bytes, std::size_t step) {
  std::string whole(bytes);
  BodyDecoder at_once(BodyFraming::kChunked, 0);
  const BodyResult result = at_once.decode(whole.data(), whole.size());
  require(result.body <= result.consumed && result.consumed <= bytes.size());
  std::string body;
  BodyDecoder in_pieces(BodyFraming::kChunked, 0);
  BodyStatus status = BodyStatus::kMore;
  for (std::size_t at = 0; at < bytes.size() && status == BodyStatus::kMore; at += step) {
    std::string piece(bytes.substr(at, step));
    const BodyResult part = in_pieces.decode(piece.data(), piece.size());
    body.append(piece, 0, part.body);
    status = part.status;
  }
  require(bytes.empty() || status == result.status);
  require(body == whole.substr(0, result.body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0] % 7;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const HeadLimits limits{1024, 20};

  std::size_t scanned = 0;
  RequestHead request;
  const HeadResult asked = parse_request_head(bytes, scanned, limits, request);
  if (asked.status == HeadStatus::kComplete) {
    require(asked.size <= limits.bytes && request.headers.fields.size() <= limits.fields);
    require(request.headers.count("host") <= 1);
    check_fields(request.headers);
  }
  RequestHead again;
  check_drip(bytes, asked,
             [&](std::string_view part, std::size_t& at) { return parse_request_head(part, at, limits, again); });

  scanned = 0;
  ResponseHead response;
  const HeadResult answered = parse_response_head(bytes, scanned, limits, "POST", response);
  if (answered.status == HeadStatus::kComplete) {
    require(response.status >= 100 && response.status <= 999);
    check_fields(response.headers);
  }
  check_body(bytes, step);
  return 0;
}
