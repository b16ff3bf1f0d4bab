// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/usage.h"

#include <catch2/catch.hpp>

#include "proxy/json/generation_request.h"
#include "proxy/json/text_size.h"

using namespace sentinel::proxy;

TEST_CASE("A choice says its end by a reason that is a string, outside of what it says") {
  const auto finished = [](std::string_view choices) {
    return read_answer("{\"choices\":[" + std::string(choices) + "]}").finished;
  };
  CHECK(finished(R"({"delta":{},"finish_reason":"stop"},{"finish_reason" : "length"})") == 2);
  CHECK(finished(R"({"delta":{"content":"x"},"finish_reason":null})") == 0);
  CHECK(finished(R"({"delta":{"content":"\"finish_reason\":\"stop\""}})") == 0);
  CHECK(finished("") == 0);
}

TEST_CASE("Usage is found under both families of names, nested or not") {
  for (const char* json : {R"({"usage":{"prompt_tokens":7,"completion_tokens":9,"details":{"prompt_tokens":1}}})",
                           R"({"usage":{"output_tokens":9,"input_tokens":7}})",
                           R"({"response":{"usage":{"input_tokens":7,"output_tokens":9}}})"}) {
    const AnswerFacts facts = read_answer(json);
    CHECK(facts.valid);
    REQUIRE(facts.usage);
    CHECK(facts.usage->input == 7);
    CHECK(facts.usage->output == 9);
  }
  for (const char* json : {R"({"usage":null})", R"({"usage":{}})",
                           R"({"usage":{"prompt_tokens":0,"completion_tokens":0}})", R"({"usage":[1]})"}) {
    CHECK(read_answer(json).valid);
    CHECK_FALSE(read_answer(json).usage);
  }
}

TEST_CASE("The last usage wins where there are two") {
  const AnswerFacts facts = read_answer(
      R"({"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":{"prompt_tokens":2,"completion_tokens":3}})");
  REQUIRE(facts.usage);
  CHECK(facts.usage->output == 3);
}

TEST_CASE("Generated text is what a model wrote, wherever it stands") {
  CHECK(read_answer(R"({"choices":[{"delta":{"content":"four"}},{"delta":{"content":"four"}}]})").text_bytes == 8);
  CHECK(read_answer(R"({"choices":[{"text":"four","logprobs":{"tokens":["x"]}}]})").text_bytes == 4);
  CHECK(
      read_answer(
          R"({"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"call","function":{"name":"f","arguments":"four"}}]}}]})")
          .text_bytes == 4);
  CHECK(read_answer(R"({"type":"response.output_text.delta","delta":"four"})").text_bytes == 4);
  CHECK(read_answer(R"({"delta":{"text":"four"}})").text_bytes == 4);
  CHECK(read_answer(R"({"id":"r","output":[{"content":[{"type":"output_text","text":"four"}]}]})").text_bytes == 4);
  CHECK(read_answer(R"({"type":"response.completed","response":{"output":[{"content":[{"text":"four"}]}]}})")
            .text_bytes == 0);
}

TEST_CASE("Events say whether the stream ends or has failed") {
  CHECK(read_answer(R"({"type":"response.completed"})").ends_stream);
  CHECK_FALSE(read_answer(R"({"type":"response.created"})").ends_stream);
  CHECK(read_answer(R"({"error":{"message":"x"}})").has_error);
  CHECK_FALSE(read_answer(R"({"error":null,"id":"x","data":[]})").has_error);
  CHECK(read_answer(R"({"error":null,"id":"x","data":[]})").has_data);
}

TEST_CASE("Prompts are estimated by their text, not by pictures and names") {
  const auto estimate = [](std::string_view body) {
    return read_generation_request(body, {}).request->estimated_input();
  };
  CHECK(estimate(R"({"model":"m","prompt":"12345678"})") == 2);
  CHECK(estimate(R"({"model":"m","input":[1,2,3]})") == 3);
  CHECK(estimate(R"({"model":"m","input":[[1,2],[3]]})") == 3);
  CHECK(estimate(R"({"model":"m","messages":[]})") == 0);
  CHECK(estimate(R"({"model":"m","messages":[{"role":"user","content":"12345678"}]})") == 2 + 4 + 3);
  const std::string picture(100'000, 'A');
  CHECK(
      estimate(
          R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"1234"},{"type":"image_url","image_url":{"url":")" +
          picture + R"("}},{"type":"input_audio","input_audio":{"data":"x"}}]}]})") == 1 + 4 + 3);
}
