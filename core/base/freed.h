// SPDX-License-Identifier: Apache-2.0
// A deleter for std::unique_ptr out of a C library's function: std::unique_ptr<X509, Freed<X509_free>>.
#pragma once

namespace sentinel {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* value) const {
    Free(value);
  }
};

}  // namespace sentinel
