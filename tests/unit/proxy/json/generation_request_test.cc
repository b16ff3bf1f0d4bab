// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/generation_request.h"

#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sentinel::proxy;

namespace {

const std::vector<RequiredMember> kChat{{"messages", JsonKind::kArray}};

std::string with_usage(const std::string& body) {
  const GenerationRequestResult read = read_generation_request(body, kChat);
  REQUIRE(read.request);
  Splices splices;
  splice_include_usage(*read.request, splices);
  std::string edited;
  for (const std::string_view piece : splices.pieces(body)) edited.append(piece);
  CHECK(edited.size() == splices.size(body));
  return edited;
}

}  // namespace

TEST_CASE("Usage is asked for without touching another byte") {
  CHECK(with_usage(R"({ "model":"m","messages":[],"x":1.0e5 })") ==
        R"({"stream_options":{"include_usage":true}, "model":"m","messages":[],"x":1.0e5 })");
  CHECK(with_usage(R"({"model":"m","messages":[],"stream_options":{ "include_usage" : false, "y":1}})") ==
        R"({"model":"m","messages":[],"stream_options":{ "include_usage" : true, "y":1}})");
  CHECK(with_usage(R"({"model":"m","messages":[],"stream_options":null})") ==
        R"({"model":"m","messages":[],"stream_options":{"include_usage":true}})");
  CHECK(with_usage(R"({"stream_options":{ },"model":"m","messages":[]})") ==
        R"({"stream_options":{"include_usage":true},"model":"m","messages":[]})");
  CHECK(with_usage(R"({"stream_options":{"y":1},"model":"m","messages":[]})") ==
        R"({"stream_options":{"include_usage":true,"y":1},"model":"m","messages":[]})");
  const std::string asked = R"({"stream_options":{"include_usage":true},"model":"m","messages":[]})";
  CHECK(with_usage(asked) == asked);
}

TEST_CASE("The model is replaced where it stands, whatever it is called") {
  const std::string body = R"({"messages":[{"model":"inner"}], "mod\u0065l" : "old\n", "z":"model"})";
  const GenerationRequestResult read = read_generation_request(body, kChat);
  REQUIRE(read.request);
  CHECK(read.request->model == "old\n");
  Splices splices;
  splice_model(*read.request, "new \"quoted\"", splices);
  std::string edited;
  for (const std::string_view piece : splices.pieces(body)) edited.append(piece);
  CHECK(edited == R"({"messages":[{"model":"inner"}], "mod\u0065l" : "new \"quoted\"", "z":"model"})");
}

TEST_CASE("A policed field twice is refused, also when one is written with escapes") {
  for (const char* body :
       {R"({"model":"a","messages":[],"model":"b"})", R"({"model":"a","messages":[],"\u006dodel":"b"})",
        R"({"model":"a","messages":[],"stream":true,"stream":false})",
        R"({"model":"a","messages":[],"max_tokens":1,"max_tokens":2})",
        R"({"model":"a","messages":[],"stream_options":{"include_usage":true,"include_usag\u0065":false}})"}) {
    INFO(body);
    const GenerationRequestResult read = read_generation_request(body, kChat);
    CHECK_FALSE(read.request);
    CHECK(read.problem.find("duplicate") != std::string::npos);
  }
  CHECK(read_generation_request(R"({"model":"a","messages":[],"other":1,"other":2})", kChat).request);
}

TEST_CASE("The cursor takes exactly what is JSON") {
  for (const char* value : {"0", "-0", "1.5", "1e9", "-1.25E-7", "\"\"", R"("a\"\\\/\b\f\n\r\tA😀")", "[]",
                            "[1,[2,{}],\"]\"]", "{}", R"({"a":{"b":[null,true,false]}})",
                            "\"long enough to pass the wide loop more than once, with a quote \\\" at its end\""}) {
    INFO(value);
    JsonCursor cursor(value);
    CHECK(cursor.take().size == std::string_view(value).size());
    CHECK(cursor.at_end());
    CHECK(nlohmann::json::accept(value));
  }
  for (const char* value :
       {"",           "01",      "1.",          ".5",     "+1",   "1e",    "-",  "tru",     "nul",
        "\"",         "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "[1,]", "[1 2]", "[",  "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{a:1}",   "{\"a\":1",    "[}",     "{]",   "'a'",   "NaN"}) {
    INFO(value);
    JsonCursor cursor(value);
    cursor.take();
    CHECK_FALSE(cursor.at_end());
    CHECK_FALSE(nlohmann::json::accept(value));
  }
  const std::string nested(100'000, '[');
  JsonCursor deep(nested);
  deep.take();
  CHECK(deep.bad());
}
