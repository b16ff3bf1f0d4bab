// SPDX-License-Identifier: Apache-2.0
// All limits share one code: what people do about any of them is the same.
#include "core/template/budget.h"

#include <fmt/format.h>

#include <limits>

namespace sentinel::template_engine {
namespace {

Error limit(std::string message) {
  return Error("template.limit", std::move(message), "this is far above real use: look for a loop that never ends",
               ExitCode::kUsage);
}

}  // namespace

Result<void> Budget::text(std::size_t bytes) const {
  if (bytes <= limits_.output_bytes) return {};
  return limit(fmt::format("the text would be longer than {} bytes", limits_.output_bytes));
}

Result<void> Budget::iterations(std::size_t count) {
  if (count > limits_.iterations - iterations_)
    return limit(fmt::format("more than {} loop passes and list items", limits_.iterations));
  iterations_ += count;
  return {};
}

Result<void> Budget::work(std::size_t bytes) {
  if (bytes > limits_.work - work_) return limit("the template does too much work");
  work_ += bytes;
  return {};
}

Result<void> Budget::admit(const Datum& value) {
  if (value.depth() > kMaxValueDepth)
    return limit(fmt::format("the value is nested more than {} levels deep", kMaxValueDepth));
  if (value.weight() > kMaxWeight) return limit("the value is too large");
  if (const auto* made = value.as_text()) SENTINEL_CHECK(text(made->size()));
  return walk(value);
}

}  // namespace sentinel::template_engine
