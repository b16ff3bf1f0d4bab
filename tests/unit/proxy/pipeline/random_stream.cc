// SPDX-License-Identifier: Apache-2.0
#include "random_stream.h"

#include <fmt/format.h>

#include <algorithm>

namespace sentinel::proxy {
namespace {

constexpr std::string_view kNullUsage = R"(,"usage":null)";

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  RandomStream make() {
    if (one_in(8)) add("\xEF\xBB\xBF" + ended("data: first"));
    for (std::size_t left = below(7); left > 0; --left) add(event());
    if (!one_in(6)) {
      const TokenCount count{below(100'000) + 1, below(5'000)};
      stream_.usage = count;
      stream_.with_usage.append(usage_event(count));
      // A stray line end here would belong to the usage event's own CR.
      if (one_in(3)) add(ended("data: {\"choices\":[{\"delta\":{\"content\":\"late\"}}]}"));
    }
    if (!one_in(10)) {
      add(ended("data: [DONE]"));
    } else if (one_in(2)) {
      add(ended(R"(data: {"choices":[{"index":0,"delta":{},"finish_reason": "stop"}]})"));
    } else {
      stream_.complete = false;
    }
    stream_.open_end = one_in(10);
    if (stream_.open_end) add("data: {\"choices\":[{\"delta\":{\"content\":\"cut o");
    cut();
    return std::move(stream_);
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  bool one_in(std::size_t count) { return below(count) == 0; }

  void add(std::string bytes) {
    stream_.with_usage.append(bytes);
    // Who isn't asked for usage doesn't write this either.
    if (const std::size_t at = bytes.find(kNullUsage); at != std::string::npos) bytes.erase(at, kNullUsage.size());
    stream_.direct.append(bytes);
  }

  std::string line_end() {
    switch (below(4)) {
      case 0: return "\r\n";
      case 1: return "\r";
      default: return "\n";
    }
  }

  /// Each event keeps to one line ending, and begins with a letter or a colon: CR and LF of neighbours never meet.
  std::string ended(const std::string& line) {
    const std::string end = line_end();
    return line + end + end;
  }

  std::string text() {
    static const std::vector<std::string> kPieces{
        "word ", "\\n",    "\\\"",   "\\u0142", "\xC5\xBC", "\xF0\x9F\x98\x80",
        "\xFF",  "{\\\"}", "[DONE]", "data: ",  "\\\\",     "usage"};
    std::string text;
    for (std::size_t left = below(one_in(50) ? 4'000 : 8); left > 0; --left)
      text.append(kPieces[below(kPieces.size())]);
    return text;
  }

  std::string event() {
    const std::string end = line_end();
    const std::string blank = one_in(2) ? " " : "";
    switch (below(9)) {
      case 0: return ":" + text() + end + end;
      case 1:
        return "event: message" + end + "id: " + std::to_string(below(100)) + end + "data:" + blank + delta() + end +
               end;
      case 2:
        return "data:" + blank + "{\"choices\":[{\"delta\":" + end + "data:" + blank + "{\"content\":\"" + text() +
               "\"}}]}" + end + end;
      case 3: return "data:" + blank + "{\"choices\":" + text() + end + end;
      case 4: return "data" + end + end;
      case 5: return "data:" + blank + R"({"choices":[],"usage":null,"prompt_filter_results":[]})" + end + end;
      case 6: return "retry: 10" + end + "unknown" + end + "data:" + blank + delta() + end + end;
      default: return "data:" + blank + delta() + end + end;
    }
  }

  std::string delta() {
    return fmt::format(
        R"({{"id":"x","choices":[{{"index":0,"delta":{{"content":"{}"}},"finish_reason":null}}],"usage":null}})",
        text());
  }

  std::string usage_event(const TokenCount& count) {
    const std::string blank = one_in(2) ? " " : "";
    const std::string usage = fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}}})",
                                          count.input, count.output, count.input + count.output);
    if (one_in(4)) {
      const std::string end = line_end();
      return "data:" + blank + R"({"choices":[],)" + end + "data:" + blank + R"("usage":)" + usage + "}" + end + end;
    }
    return ended("data:" + blank + fmt::format(R"({{"id":"x","choices": [ ],"usage":{}}})", usage));
  }

  void cut() {
    std::size_t left = stream_.with_usage.size();
    const std::size_t most = one_in(5) ? 3 : one_in(3) ? 4'096 : 200;
    while (left > 0) {
      // Not more than so many pieces: a long stream in single bytes would only be slow.
      const std::size_t size = stream_.cuts.size() > 40 ? left : std::min(left, 1 + below(most));
      stream_.cuts.push_back(size);
      left -= size;
    }
  }

  std::mt19937_64 random_;
  RandomStream stream_;
};

}  // namespace

RandomStream random_stream(std::uint64_t seed) {
  return Maker(seed).make();
}

}  // namespace sentinel::proxy
