// SPDX-License-Identifier: Apache-2.0
// Bytes that grow at the end and are consumed at the front, without ever being zeroed. Freed when told, so that an idle
// connection holds none.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace sentinel::proxy {

class Buffer {
 public:
  Buffer() = default;

  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  ~Buffer() { std::free(data_); }

  std::string_view view() const { return {data_ + begin_, end_ - begin_}; }

  std::size_t size() const { return end_ - begin_; }

  bool empty() const { return begin_ == end_; }

  char* data() { return data_ + begin_; }

  /// Room for at least `count` more bytes, all there is; invalidates views. Terminates when memory is gone.
  std::span<char> prepare(std::size_t count) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < count) {
      const std::size_t used = size();
      if (begin_ > 0) {
        std::memmove(data_, data_ + begin_, used);
        begin_ = 0;
        end_ = used;
      }
      if (capacity_ - end_ < count) grow(used + count);
    }
    return {data_ + end_, capacity_ - end_};
  }

  void commit(std::size_t count) { end_ += count; }

  void consume(std::size_t count) { begin_ += count; }

  void truncate(std::size_t count) { end_ = begin_ + count; }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  /// Empty, and its memory returned.
  void release() {
    std::free(std::exchange(data_, nullptr));
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void grow(std::size_t wanted) {
    std::size_t capacity = capacity_ == 0 ? 128 : capacity_ * 2;
    while (capacity < wanted) capacity *= 2;
    data_ = static_cast<char*>(std::realloc(data_, capacity));
    if (data_ == nullptr) std::abort();
    capacity_ = capacity;
  }

  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sentinel::proxy
