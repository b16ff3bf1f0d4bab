// SPDX-License-Identifier: Apache-2.0
// Collects what is wrong with a project, so that people see everything at once. Loading and expanding go on after an
// error as far as that makes sense.
#pragma once

#include <cstddef>

#include "core/base/error.h"

namespace sentinel {

inline constexpr std::size_t kMostErrors = 100;

struct Diagnostics {
  Errors errors;
  Errors warnings;
  std::size_t reported = 0;  ///< calls of add, repeated errors included: tells whether something went wrong in between

  bool ok() const { return errors.empty(); }

  /// Adds an error; configuration errors end with exit code usage. The same error twice is kept once, and after
  /// kMostErrors the rest is only counted.
  void add(Error error);
  void warn(Error warning);
};

}  // namespace sentinel
