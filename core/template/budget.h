// SPDX-License-Identifier: Apache-2.0
// What one rendering may still use. Everything that makes values or loops pays here first, so a hostile template ends
// with an error instead of a hang.
#pragma once

#include <cstddef>

#include "core/base/result.h"
#include "core/template/datum.h"
#include "core/template/options.h"

namespace sentinel::template_engine {

/// Bounds of any value: nesting, and Items::weight (a weight of 2^22 is 64 MiB of text).
inline constexpr int kMaxValueDepth = 100;
inline constexpr std::size_t kMaxWeight = 1U << 22;

class Budget {
 public:
  explicit Budget(const TemplateLimits& limits) : limits_(limits) {}

  /// Error `template.limit` when a text of that size may not be made.
  Result<void> text(std::size_t bytes) const;
  /// Pays for so many loop passes or list items.
  Result<void> iterations(std::size_t count);
  /// Pays for looking at or making so many bytes.
  Result<void> work(std::size_t bytes);
  /// Pays for a value that was made and checks its bounds.
  Result<void> admit(const Datum& value);

  /// Pays for walking a value.
  Result<void> walk(const Datum& value) { return work(16 * value.weight()); }

  const TemplateLimits& limits() const { return limits_; }

 private:
  TemplateLimits limits_;
  std::size_t iterations_ = 0;
  std::size_t work_ = 0;
};

}  // namespace sentinel::template_engine
