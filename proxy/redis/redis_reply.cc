// SPDX-License-Identifier: Apache-2.0
// hiredis gives and keeps void pointers; a reply's root is ours once it is handed out, and elements live in their
// array.
#include "proxy/redis/redis_reply.h"

#include <fmt/format.h>
#include <hiredis/read.h>

#include <utility>

namespace sentinel::proxy {
namespace {

/// More than anything the proxy asks for can have.
constexpr int kMostElements = 1 << 20;
constexpr std::size_t kMostBuffered = std::size_t{64} << 20;

RedisReply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return new RedisReply;
  return &static_cast<RedisReply*>(task->parent->obj)->elements[static_cast<std::size_t>(task->idx)];
}

void* make_string(const redisReadTask* task, char* text, std::size_t size) {
  RedisReply* const reply = place_of(task);
  reply->kind = task->type == REDIS_REPLY_ERROR    ? RedisReply::Kind::kError
                : task->type == REDIS_REPLY_STATUS ? RedisReply::Kind::kStatus
                                                   : RedisReply::Kind::kString;
  reply->text.assign(text, size);
  return reply;
}

void* make_array(const redisReadTask* task, int count) {
  if (count > kMostElements) return nullptr;
  RedisReply* const reply = place_of(task);
  reply->kind = RedisReply::Kind::kArray;
  reply->elements.resize(static_cast<std::size_t>(count));
  return reply;
}

void* make_integer(const redisReadTask* task, long long value) {
  RedisReply* const reply = place_of(task);
  reply->kind = RedisReply::Kind::kInteger;
  reply->integer = value;
  return reply;
}

void* make_nil(const redisReadTask* task) {
  return place_of(task);
}

void free_reply(void* reply) {
  delete static_cast<RedisReply*>(reply);
}

redisReplyObjectFunctions functions{make_string, make_array, make_integer, make_nil, free_reply};

}  // namespace

void RedisReader::Free::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

RedisReader::RedisReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
  if (reader_ == nullptr) std::abort();
}

RedisReader::~RedisReader() = default;

void RedisReader::feed(std::string_view bytes) {
  if (bad_) return;
  bad_ = redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK || reader_->len > kMostBuffered;
}

std::optional<RedisReply> RedisReader::next() {
  void* found = nullptr;
  if (bad_ || redisReaderGetReply(reader_.get(), &found) != REDIS_OK) {
    bad_ = true;
    return std::nullopt;
  }
  if (found == nullptr) return std::nullopt;
  const std::unique_ptr<RedisReply> owned(static_cast<RedisReply*>(found));
  return std::move(*owned);
}

std::string encode_command(const std::vector<std::string>& words) {
  std::string out = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) {
    out.append(fmt::format("${}\r\n", word.size())).append(word).append("\r\n");
  }
  return out;
}

}  // namespace sentinel::proxy
