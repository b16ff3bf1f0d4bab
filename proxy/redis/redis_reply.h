// SPDX-License-Identifier: Apache-2.0
// What Redis answers, and the reader that makes it of bytes (RESP2; hiredis' parser behind it).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace sentinel::proxy {

struct RedisReply {
  enum class Kind { kNil, kInteger, kString, kStatus, kError, kArray };

  Kind kind = Kind::kNil;
  std::int64_t integer = 0;
  std::string text;  ///< of a string, a status or an error
  std::vector<RedisReply> elements;

  bool is(Kind wanted) const { return kind == wanted; }
};

class RedisReader {
 public:
  RedisReader();
  ~RedisReader();

  void feed(std::string_view bytes);
  /// The next whole reply. Nothing: it hasn't arrived, or the bytes are no RESP (bad()).
  std::optional<RedisReply> next();

  bool bad() const { return bad_; }

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };

  std::unique_ptr<redisReader, Free> reader_;
  bool bad_ = false;
};

/// A command as RESP.
std::string encode_command(const std::vector<std::string>& words);

}  // namespace sentinel::proxy
