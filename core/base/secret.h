// SPDX-License-Identifier: Apache-2.0
// A string that can't be printed. There is no formatter, no stream operator and no JSON codec; `reveal()` is the one way
// out and easy to search for. The buffer is wiped on destruction and on assignment.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace sentinel {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(); }

  /// The value itself: only for the one place that hands it to where it belongs.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  /// Constant time for equal lengths.
  bool operator==(const Secret& other) const;

 private:
  void wipe() noexcept;
  std::string value_;
};

}  // namespace sentinel
