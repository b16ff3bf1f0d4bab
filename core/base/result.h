// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. Our own, because clang 14's tooling can't see std::expected of gcc 12.
// A broken invariant (value() of a failure) terminates: it is a bug, not an input.
#pragma once

#include <cstdlib>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/error.h"

namespace sentinel {

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return ok() ? std::get<0>(state_) : die<const T&>(); }
  T& value() & { return ok() ? std::get<0>(state_) : die<T&>(); }
  T&& value() && { return ok() ? std::move(std::get<0>(state_)) : die<T&&>(); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  T value_or(T fallback) const& { return ok() ? std::get<0>(state_) : std::move(fallback); }

  const Error& error() const& { return ok() ? die<const Error&>() : std::get<1>(state_); }
  Error& error() & { return ok() ? die<Error&>() : std::get<1>(state_); }
  Error&& error() && { return ok() ? die<Error&&>() : std::move(std::get<1>(state_)); }

 private:
  template <typename U>
  [[noreturn]] static U die() {
    std::abort();
  }

  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT: implicit by design

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }

  const Error& error() const& { return error_; }
  Error& error() & { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool failed_ = false;
};

}  // namespace sentinel

#define SENTINEL_JOIN_(a, b) a##b
#define SENTINEL_JOIN(a, b) SENTINEL_JOIN_(a, b)

/// SENTINEL_TRY(auto text, read_file(path)); — binds the value, or returns the error from the enclosing function.
#define SENTINEL_TRY(declaration, expression) SENTINEL_TRY_(SENTINEL_JOIN(try_result_, __LINE__), declaration, expression)
#define SENTINEL_TRY_(temporary, declaration, expression) \
  auto temporary = (expression);                          \
  if (!temporary.ok()) return std::move(temporary).error(); \
  declaration = std::move(temporary).value()

/// SENTINEL_CHECK(do_it()); — returns the error, if there is one, from the enclosing function.
#define SENTINEL_CHECK(expression)                                               \
  do {                                                                           \
    if (auto check_result = (expression); !check_result.ok()) {                  \
      return std::move(check_result).error();                                    \
    }                                                                            \
  } while (false)
