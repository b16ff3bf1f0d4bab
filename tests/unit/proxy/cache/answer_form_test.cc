// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/answer_form.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sentinel::proxy;
using nlohmann::json;

namespace {

constexpr std::string_view kUsage = R"("usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7})";

std::string event(std::string_view choices) {
  return fmt::format(R"(data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{}],)"
                     R"("usage":null,"obfuscation":"x"}})"
                     "\n\n",
                     choices);
}

std::string stream(const std::vector<std::string>& choices) {
  std::string events = ": a comment\n\n";
  for (const std::string& choice : choices) events += event(choice);
  return events +
         fmt::format("data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[],{}}}\n\n", kUsage) +
         "data: [DONE]\n\n";
}

std::string delta(int index, std::string_view members, std::string_view finish = "null", std::string_view more = "") {
  return fmt::format(R"({{"index":{},"delta":{{{}}},"logprobs":null,"finish_reason":{}{}}})", index, members, finish,
                     more);
}

std::string whole(std::string_view choices, std::string_view more = "") {
  return fmt::format(
      "{{\n\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{}],"
      "\n{}{}}}",
      choices, kUsage, more);
}

json choice_of(const std::optional<std::string>& answer, std::size_t at = 0) {
  REQUIRE(answer);
  return json::parse(*answer)["choices"][at];
}

}  // namespace

TEST_CASE("Text in pieces becomes one answer, halves of characters included") {
  const auto answer = whole_of_stream(
      stream({delta(0, R"("role":"assistant","content":"","refusal":null)"), delta(0, R"("content":"a \"b\" \ud83d")"),
              delta(0, R"("content":"\ude00\n")"), delta(0, "", R"("stop")")}));
  REQUIRE(answer);
  const json read = json::parse(*answer);
  CHECK(read["object"] == "chat.completion");
  CHECK(read["id"] == "c");
  CHECK(read["usage"]["total_tokens"] == 7);
  const json expected = {
      {"index", 0},
      {"message", {{"role", "assistant"}, {"content", "a \"b\" \U0001F600\n"}, {"refusal", nullptr}}},
      {"logprobs", nullptr},
      {"finish_reason", "stop"}};
  CHECK(read["choices"] == json::array({expected}));
}

TEST_CASE("Calls of tools are put together by their place") {
  const auto answer = whole_of_stream(stream(
      {delta(0, R"("role":"assistant","content":null)"),
       delta(0, R"("tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}])"),
       delta(0, R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}])"),
       delta(0, R"("tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}])"),
       delta(0, R"("tool_calls":[{"index":0,"function":{"arguments":":1}"}}])"), delta(0, "", R"("tool_calls")")}));
  const json calls = json::parse(R"([{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
      {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}])");
  CHECK(choice_of(answer)["message"]["tool_calls"] == calls);
  CHECK(choice_of(answer)["message"]["content"].is_null());
  CHECK(choice_of(answer)["finish_reason"] == "tool_calls");
}

TEST_CASE("Choices that come mixed are told apart") {
  const auto answer = whole_of_stream(stream({delta(1, R"("content":"b")"), delta(0, R"("content":"a")"),
                                              delta(1, R"("content":"B")", R"("stop")"), delta(0, "", R"("length")")}));
  CHECK(choice_of(answer, 0)["message"]["content"] == "a");
  CHECK(choice_of(answer, 1)["message"]["content"] == "bB");
}

TEST_CASE("A stream that would lose something stays one") {
  const std::string end = delta(0, "", R"("stop")");
  REQUIRE(whole_of_stream(stream({end})));
  for (const std::string& said : {
           delta(0, R"("content":"a","unknown":1)"),
           delta(0, R"("content":["a"])"),
           delta(0, R"("audio":{"id":"x"})"),
           delta(0, R"("tool_calls":[{"id":"c1"}])"),
           delta(0, R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])"),
           delta(0, R"("tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"x"}}])"),
           delta(0, R"("content":"a")", "null", R"(,"content_filter_results":{})"),
           std::string(R"({"index":0,"delta":{},"logprobs":{"content":[]},"finish_reason":null})"),
           std::string(R"({"delta":{"content":"no index"},"finish_reason":null})"),
       }) {
    INFO(said);
    CHECK_FALSE(whole_of_stream(stream({said, end})));
  }
  CHECK_FALSE(whole_of_stream(stream({delta(0, R"("content":"never ends")")})));
  CHECK_FALSE(whole_of_stream(event(end)));  // no usage
  CHECK_FALSE(whole_of_stream("data: {\"choices\":\n\n"));
  CHECK_FALSE(whole_of_stream(""));
}

TEST_CASE("A whole answer becomes events that put together are that answer") {
  const std::string message =
      R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function",)"
      R"("function":{"name":"f","arguments":"{\"a\":1}"}}]})";
  for (const std::string& said : {std::string(R"({"role":"assistant","content":"a \u0142 \"b\""})"), message}) {
    const std::string first = fmt::format(R"({{"index":0,"message":{},"logprobs":null,"finish_reason":"stop"}})", said);
    const std::string second = R"({"index":1,"message":{"role":"assistant","content":""},"finish_reason":"length"})";
    const auto events = stream_of_whole(whole(first + "," + second));
    REQUIRE(events);
    CHECK(events->ends_with("data: [DONE]\n\n"));
    const auto again = whole_of_stream(*events);
    CHECK(choice_of(again, 0) == json::parse(first));
    CHECK(choice_of(again, 1)["finish_reason"] == "length");
    CHECK(json::parse(*again)["usage"]["total_tokens"] == 7);
    CHECK(json::parse(*again)["created"] == 1);
  }
}

TEST_CASE("Each event is one line, however the answer was written") {
  const auto events = stream_of_whole(
      "{\n \"id\": \"c\",\r\n \"object\": \"text_completion\",\n \"choices\": [\n{\"text\": \"a\\nb\", \"index\": 0,\n"
      "\"logprobs\": null, \"finish_reason\": \"stop\"}],\n \"usage\": {\n\"prompt_tokens\": 1,\n\"total_tokens\": "
      "1}}");
  REQUIRE(events);
  std::size_t lines = 0;
  for (std::size_t at = 0; at < events->size(); at = events->find("\n\n", at) + 2) {
    ++lines;
    CHECK(events->compare(at, 6, "data: ") == 0);
    CHECK(events->find('\n', at) == events->find("\n\n", at));
  }
  CHECK(lines == 4);
  CHECK(events->find('\r') == std::string::npos);
  CHECK(choice_of(whole_of_stream(*events))["text"] == "a\nb");
}

TEST_CASE("A whole answer that would lose something stays one") {
  const std::string good = R"({"index":0,"message":{"role":"assistant","content":"a","annotations":[]},)"
                           R"("finish_reason":"stop"})";
  REQUIRE(stream_of_whole(whole(good)));
  CHECK(stream_of_whole(whole(good, R"(,"system_fingerprint":null,"kv":null)")));
  CHECK_FALSE(stream_of_whole(whole(good, R"(,"prompt_filter_results":[])")));
  CHECK_FALSE(stream_of_whole(whole("")));
  for (const std::string choice : {
           R"({"index":0,"message":{"content":"a"},"finish_reason":null})",
           R"({"index":0,"message":{"content":"a"},"logprobs":{},"finish_reason":"stop"})",
           R"({"index":0,"message":{"content":"a","annotations":[{}]},"finish_reason":"stop"})",
           R"({"index":0,"message":{"content":"a","audio":{}},"finish_reason":"stop"})",
           R"({"index":0,"message":{"content":[]},"finish_reason":"stop"})",
           R"({"message":{"content":"a"},"finish_reason":"stop"})",
       }) {
    INFO(choice);
    CHECK_FALSE(stream_of_whole(whole(choice)));
  }
}
