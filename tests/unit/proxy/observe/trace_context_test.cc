// SPDX-License-Identifier: Apache-2.0
#include "proxy/observe/trace_context.h"

#include <catch2/catch.hpp>

using namespace sentinel::proxy;

namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kParent = "00-" + std::string(kTrace) + "-b7ad6b7169203331-01";

}  // namespace

TEST_CASE("A client's trace goes on with a span of our own") {
  const TraceContext context = trace_context(kParent, "vendor=1");
  CHECK(context.trace_id == kTrace);
  CHECK(context.parent_id == "b7ad6b7169203331");
  CHECK(context.span_id.size() == 16);
  CHECK(context.span_id != context.parent_id);
  CHECK(context.traceparent() == "00-" + std::string(kTrace) + "-" + context.span_id + "-01");
  CHECK(context.state == "vendor=1");
  CHECK(trace_context("cc" + kParent.substr(2) + "-more", {}).trace_id == kTrace);
}

TEST_CASE("Without a well-formed one a trace begins, and the state is dropped") {
  const std::string zeros(32, '0');
  for (const std::string& bad : {std::string(), kParent + "-x", kParent.substr(1), "ff" + kParent.substr(2),
                                 "00-" + zeros + kParent.substr(35), kParent.substr(0, 36) + "0000000000000000-01",
                                 "00-0AF7651916CD43DD8448EB211C80319C" + kParent.substr(35), kParent.substr(0, 54)}) {
    const TraceContext context = trace_context(bad, "vendor=1");
    CHECK(context.trace_id.size() == 32);
    CHECK(context.trace_id != kTrace);
    CHECK(context.parent_id.empty());
    CHECK(context.state.empty());
    CHECK(context.flags == "00");
  }
  CHECK(trace_context({}, {}).trace_id != trace_context({}, {}).trace_id);
  CHECK(trace_context(kParent, std::string(513, 'a')).state.empty());
}
