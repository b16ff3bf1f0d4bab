// SPDX-License-Identifier: Apache-2.0
// One pass over a head that is known to be whole.
#include "proxy/net/http_head.h"

#include <array>

namespace sentinel::proxy {
namespace {

constexpr std::array<bool, 256> token_bytes() {
  std::array<bool, 256> table{};
  for (const char* letter = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
       *letter != 0; ++letter) {
    table[static_cast<unsigned char>(*letter)] = true;
  }
  return table;
}

constexpr std::array<bool, 256> kToken = token_bytes();

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
}

/// Visible bytes, blanks and tabs; bytes of 0x80 and above are passed as they are.
bool is_field_value(std::string_view value) {
  for (const char letter : value) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return value;
}

HeadResult bad(const char* reason) {
  return {HeadStatus::kBad, 0, reason};
}

/// Finds the end of the head; kComplete with its size, kIncomplete, or a refusal.
HeadResult find_end(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits) {
  const std::size_t from = scanned < 3 ? 0 : scanned - 3;
  const std::size_t end = bytes.find("\r\n\r\n", from);
  if (end == std::string_view::npos) {
    scanned = bytes.size();
    if (bytes.size() >= limits.bytes) return {HeadStatus::kTooLarge, 0, "the head is too large"};
    return {HeadStatus::kIncomplete};
  }
  if (end + 4 > limits.bytes) return {HeadStatus::kTooLarge, 0, "the head is too large"};
  return {HeadStatus::kComplete, end + 4};
}

/// Takes the next line; false when it isn't ended by CRLF alone.
bool take_line(std::string_view& rest, std::string_view& line) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0 || rest[end - 1] != '\r') return false;
  line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return line.find('\r') == std::string_view::npos;
}

/// `rest` begins behind the first line and ends with the empty line.
HeadResult take_fields(std::string_view rest, const HeadLimits& limits, HeaderFields& headers) {
  headers.fields.clear();
  std::string_view line;
  for (;;) {
    if (!take_line(rest, line)) return bad("a line is not ended by CRLF");
    if (line.empty()) return {HeadStatus::kComplete};
    if (headers.fields.size() == limits.fields) return {HeadStatus::kTooLarge, 0, "too many header fields"};
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return bad("not a header field");
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) return bad("a control byte in a header field");
    headers.fields.push_back({line.substr(0, colon), value});
  }
}

/// What both directions share: Content-Length, Transfer-Encoding and Connection.
struct Framing {
  BodyFraming body = BodyFraming::kNone;
  std::uint64_t length = 0;
  bool has_length = false;
  bool close = false;
  bool keep_alive = false;
};

HeadResult read_framing(const HeaderFields& headers, Framing& framing) {
  bool coded = false;
  for (const HeaderField& field : headers.fields) {
    if (same_name(field.name, "content-length")) {
      if (framing.has_length) return bad("a second Content-Length");
      if (field.value.empty() || field.value.size() > 18) return bad("not a Content-Length");
      for (const char digit : field.value) {
        if (digit < '0' || digit > '9') return bad("not a Content-Length");
        framing.length = framing.length * 10 + static_cast<std::uint64_t>(digit - '0');
      }
      framing.has_length = true;
    } else if (same_name(field.name, "transfer-encoding")) {
      if (coded) return bad("a second Transfer-Encoding");
      if (!same_name(field.value, "chunked"))
        return {HeadStatus::kNotSupported, 0, "a Transfer-Encoding other than chunked"};
      coded = true;
    }
  }
  if (coded && framing.has_length) return bad("Content-Length beside Transfer-Encoding");
  if (coded) framing.body = BodyFraming::kChunked;
  if (framing.has_length) framing.body = BodyFraming::kLength;
  framing.close = headers.has_word("connection", "close");
  framing.keep_alive = headers.has_word("connection", "keep-alive");
  return {HeadStatus::kComplete};
}

HeadResult take_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return bad("not a request line");
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, second - first - 1);
  const std::string_view version = line.substr(second + 1);
  if (!is_token(head.method)) return bad("not a method");
  if (head.target.empty() || (head.target.front() != '/' && head.target != "*"))
    return bad("not an origin-form target");
  for (const char letter : head.target) {
    if (letter <= 0x20 || letter == 0x7f || letter == '#') return bad("a byte that no target may hold");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.substr(0, 5) != "HTTP/") return bad("not a request line");
    return {HeadStatus::kBadVersion, 0, "only HTTP/1.1 and HTTP/1.0 are spoken"};
  }
  head.minor_version = version.back() - '0';
  const std::size_t mark = head.target.find('?');
  head.path = head.target.substr(0, mark);
  head.query = mark == std::string_view::npos ? std::string_view() : head.target.substr(mark + 1);
  return {HeadStatus::kComplete};
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool is_token(std::string_view text) {
  for (const char letter : text) {
    if (!kToken[static_cast<unsigned char>(letter)]) return false;
  }
  return !text.empty();
}

std::optional<std::string_view> HeaderFields::find(std::string_view name) const {
  for (const HeaderField& field : fields) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t HeaderFields::count(std::string_view name) const {
  std::size_t found = 0;
  for (const HeaderField& field : fields) found += same_name(field.name, name) ? 1 : 0;
  return found;
}

bool HeaderFields::has_word(std::string_view name, std::string_view word) const {
  for (const HeaderField& field : fields) {
    if (!same_name(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (same_name(trimmed(rest.substr(0, comma)), word)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

HeadResult parse_request_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                              RequestHead& head) {
  const HeadResult end = find_end(bytes, scanned, limits);
  if (end.status != HeadStatus::kComplete) return end;
  std::string_view rest = bytes.substr(0, end.size);
  std::string_view line;
  if (!take_line(rest, line)) return bad("a line is not ended by CRLF");
  if (const HeadResult taken = take_request_line(line, head); taken.status != HeadStatus::kComplete) return taken;
  if (const HeadResult taken = take_fields(rest, limits, head.headers); taken.status != HeadStatus::kComplete)
    return taken;

  Framing framing;
  if (const HeadResult read = read_framing(head.headers, framing); read.status != HeadStatus::kComplete) return read;
  if (head.minor_version == 0 && framing.body == BodyFraming::kChunked) return bad("a chunked body in HTTP/1.0");
  const std::size_t hosts = head.headers.count("host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) return bad("exactly one Host is needed");
  head.framing = framing.body;
  head.content_length = framing.length;
  if (head.framing == BodyFraming::kLength && framing.length == 0) head.framing = BodyFraming::kNone;
  head.keep_alive = head.minor_version == 1 ? !framing.close : framing.keep_alive && !framing.close;
  const std::optional<std::string_view> expect = head.headers.find("expect");
  if (expect && !same_name(*expect, "100-continue")) return {HeadStatus::kBadExpect, 0, "an unknown expectation"};
  head.expects_continue = expect.has_value() && head.minor_version == 1;
  return end;
}

HeadResult parse_response_head(std::string_view bytes, std::size_t& scanned, const HeadLimits& limits,
                               std::string_view method, ResponseHead& head) {
  const HeadResult end = find_end(bytes, scanned, limits);
  if (end.status != HeadStatus::kComplete) return end;
  std::string_view rest = bytes.substr(0, end.size);
  std::string_view line;
  if (!take_line(rest, line)) return bad("a line is not ended by CRLF");
  const bool known = line.substr(0, 9) == "HTTP/1.1 " || line.substr(0, 9) == "HTTP/1.0 ";
  if (!known || line.size() < 12 || (line.size() > 12 && line[12] != ' ')) return bad("not a status line");
  head.status = 0;
  for (const char digit : line.substr(9, 3)) {
    if (digit < '0' || digit > '9') return bad("not a status");
    head.status = head.status * 10 + (digit - '0');
  }
  if (head.status < 100) return bad("not a status");
  head.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!is_field_value(head.reason)) return bad("a control byte in the status line");
  if (const HeadResult taken = take_fields(rest, limits, head.headers); taken.status != HeadStatus::kComplete)
    return taken;

  Framing framing;
  if (const HeadResult read = read_framing(head.headers, framing); read.status != HeadStatus::kComplete) return read;
  const bool old = line[7] == '0';
  const bool bodiless = head.status < 200 || head.status == 204 || head.status == 304 || method == "HEAD";
  head.framing = bodiless ? BodyFraming::kNone : framing.body;
  if (!bodiless && framing.body == BodyFraming::kNone) head.framing = BodyFraming::kUntilClose;
  if (head.framing == BodyFraming::kLength && framing.length == 0) head.framing = BodyFraming::kNone;
  head.content_length = framing.length;
  head.keep_alive = head.framing != BodyFraming::kUntilClose && !framing.close && (!old || framing.keep_alive);
  return end;
}

}  // namespace sentinel::proxy
