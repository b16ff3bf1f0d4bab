// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/shared_answers.h"

#include <fmt/format.h>

#include <charconv>

namespace sentinel::proxy {
namespace {

constexpr std::string_view kFormat = "1 ";

std::string key_of(const CacheKey& key, AnswerForm form) {
  return "sentinel:response:" + key + (form == AnswerForm::kWhole ? ":whole" : ":stream");
}

/// Null: nothing we wrote.
std::shared_ptr<const CachedAnswer> read_value(const RedisReply& reply) {
  std::string_view text = reply.text;
  if (!reply.is(RedisReply::Kind::kString) || !text.starts_with(kFormat)) return nullptr;
  text.remove_prefix(kFormat.size());
  CachedAnswer answer;
  const char* const end = text.data() + text.size();
  const auto [behind_input, bad_input] = std::from_chars(text.data(), end, answer.usage.input);
  if (bad_input != std::errc() || behind_input == end || *behind_input != ' ') return nullptr;
  const auto [behind, bad] = std::from_chars(behind_input + 1, end, answer.usage.output);
  if (bad != std::errc() || behind == end || *behind != '\n') return nullptr;
  answer.body.assign(behind + 1, end);
  return std::make_shared<const CachedAnswer>(std::move(answer));
}

}  // namespace

Task<SharedAnswers::Found> SharedAnswers::find(CacheKey key) {
  RedisCommand command{"MGET", key_of(key, AnswerForm::kWhole), key_of(key, AnswerForm::kStream)};
  const std::optional<RedisReply> reply = co_await redis_.ask(std::move(command));
  Found found;
  if (!reply || !reply->is(RedisReply::Kind::kArray) || reply->elements.size() != found.size()) {
    fallbacks_.add();
    co_return found;
  }
  for (std::size_t i = 0; i < found.size(); ++i) found[i] = read_value(reply->elements[i]);
  co_return found;
}

void SharedAnswers::store(const CacheKey& key, AnswerForm form, const CachedAnswer& answer) {
  if (answer.body.size() > kMostAnswer || time_to_live_.count() == 0) return;
  redis_.tell({"SET", key_of(key, form),
               fmt::format("{}{} {}\n{}", kFormat, answer.usage.input, answer.usage.output, answer.body), "PX",
               std::to_string(std::chrono::milliseconds(time_to_live_).count())});
}

}  // namespace sentinel::proxy
