// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/hidden_usage.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

TEST_CASE("What asking for usage added goes, with the comma that came with it") {
  const auto seen = [](std::string_view data) { return stream_without_usage("data: " + std::string(data) + "\n\n"); };
  CHECK(seen(R"({"a":1,"usage":null})") == "data: {\"a\":1}\n\n");
  CHECK(seen(R"({"a":1, "usage": null, "b":2})") == "data: {\"a\":1, \"b\":2}\n\n");
  CHECK(seen(R"({"usage":null, "b":2,"c":[1,2]})") == "data: {\"b\":2,\"c\":[1,2]}\n\n");
  CHECK(seen(R"({ "usage":null })") == "data: {  }\n\n");
  CHECK(seen(R"({"choices":[],"usage":{"prompt_tokens":1}})").empty());
}

TEST_CASE("Anything else stays as it is") {
  for (const std::string stream :
       {"data: {\"a\":{\"usage\":null},\"b\":[{\"usage\":null}]}\n\n", "data: {\"response\":{\"usage\":null}}\n\n",
        "data: {\"a\":1,\"usage\":null\n\n", "data: {\"a\":1,\ndata: \"usage\":null}\n\n",
        "data: {\"choices\":[{}],\"usage\":{\"prompt_tokens\":1}}\n\n", ": {\"a\":1,\"usage\":null}\n\n",
        "data: [DONE]\n\n", "data: {\"a\":\"\\\"usage\\\":null\"}\n\n", "data: {\"a\":1}"}) {
    CHECK(stream_without_usage(stream) == stream);
  }
}
