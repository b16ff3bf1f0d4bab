// SPDX-License-Identifier: Apache-2.0
#include "proxy/cache/answer_store.h"

#include <utility>

namespace sentinel::proxy {
namespace {

std::shared_ptr<const CachedAnswer> in_other_form(const CachedAnswer& answer, AnswerForm form) {
  std::optional<std::string> body =
      form == AnswerForm::kStream ? stream_of_whole(answer.body) : whole_of_stream(answer.body);
  if (!body) return nullptr;
  return std::make_shared<const CachedAnswer>(CachedAnswer{std::move(*body), answer.usage});
}

}  // namespace

std::shared_ptr<const CachedAnswer> AnswerStore::find(const CacheKey& key, AnswerForm form) {
  const auto now = std::chrono::steady_clock::now();
  std::shared_ptr<const CachedAnswer> own = local_.find(key, form, now);
  if (own != nullptr) return own;
  const std::shared_ptr<const CachedAnswer> other = local_.find(key, other_form(form), now);
  return other == nullptr ? nullptr : in_other_form(*other, form);
}

void AnswerStore::store(const CacheKey& key, AnswerForm form, CachedAnswer answer) {
  local_.store(key, form, std::move(answer), std::chrono::steady_clock::now());
}

}  // namespace sentinel::proxy
