// SPDX-License-Identifier: Apache-2.0
// The same mistake seen from twenty hosts is one mistake: the context is left out of the comparison.
#include "core/config/diagnostics.h"

#include <algorithm>

namespace sentinel {
namespace {

void add_once(Errors& list, Error error) {
  if (list.size() > kMostErrors) return;
  const bool known = std::any_of(list.begin(), list.end(), [&](const Error& other) {
    return other.code == error.code && other.message == error.message && other.position == error.position;
  });
  if (known) return;
  if (list.size() == kMostErrors) {
    error = Error("config.many-errors", "there are more mistakes, which are not shown", "correct these first",
                  ExitCode::kUsage);
  }
  list.push_back(std::move(error));
}

}  // namespace

void Diagnostics::add(Error error) {
  error.exit = ExitCode::kUsage;
  ++reported;
  add_once(errors, std::move(error));
}

void Diagnostics::warn(Error warning) {
  add_once(warnings, std::move(warning));
}

}  // namespace sentinel
