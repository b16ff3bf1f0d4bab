// SPDX-License-Identifier: Apache-2.0
// Bodies of requests: what the cursor takes for JSON is JSON to another parser too, and the other way round; an edited
// body says what it was made to say and, for the rest, what it said before.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/utf8.h"
#include "proxy/json/generation_request.h"
#include "proxy/json/usage.h"

using namespace sentinel::proxy;
using Json = nlohmann::json;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = sentinel::utf8_sequence(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

/// The other parser refuses numbers that no double holds.
bool has_exponent(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if ((text[at] == 'e' || text[at] == 'E') && text[at - 1] >= '0' && text[at - 1] <= '9') return true;
  }
  return false;
}

std::string edited(std::string_view body, const Splices& splices) {
  std::string out;
  for (const std::string_view piece : splices.pieces(body)) out.append(piece);
  require(out.size() == splices.size(body));
  return out;
}

void check_edit(std::string_view body, const GenerationRequest& request) {
  Splices splices;
  splice_include_usage(request, splices);
  splice_model(request, "another \"model\"", splices);
  const std::string out = edited(body, splices);
  const GenerationRequestResult again = read_generation_request(out, {});
  require(again.request.has_value() && again.request->include_usage && again.request->model == "another \"model\"");
  require(again.request->stream == request.stream && again.request->prompt_bytes == request.prompt_bytes);
  Json before = Json::parse(body, nullptr, false);
  Json after = Json::parse(out, nullptr, false);
  if (before.is_discarded()) return;  // text that the other parser won't read
  require(!after.is_discarded());
  before["model"] = "another \"model\"";
  if (!before["stream_options"].is_object()) before["stream_options"] = Json::object();
  before["stream_options"]["include_usage"] = true;
  require(before == after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  JsonCursor cursor(body);
  cursor.take();
  const bool taken = cursor.at_end();
  // Escaped surrogates are only looked at when a string is decoded; a byte order mark is not passed over; and a NUL
  // ends no text here, as it does for the other parser.
  const bool comparable = is_utf8(body) && body.find('\0') == std::string_view::npos &&
                          body.find("\\u") == std::string_view::npos && !has_exponent(body) &&
                          !body.starts_with("\xEF\xBB\xBF") && size < 100;
  if (comparable) require(taken == Json::accept(body));
  read_answer(body);
  const GenerationRequestResult read = read_generation_request(body, {});
  require(read.request.has_value() == read.problem.empty());
  if (read.request) check_edit(body, *read.request);
  return 0;
}
