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

Task<std::shared_ptr<const CachedAnswer>> AnswerStore::find(CacheKey key, AnswerForm form) {
  const auto now = std::chrono::steady_clock::now();
  std::shared_ptr<const CachedAnswer> own = local_.find(key, form, now);
  if (own != nullptr) co_return own;
  std::shared_ptr<const CachedAnswer> other = local_.find(key, other_form(form), now);
  if (other != nullptr) own = in_other_form(*other, form);
  if (own != nullptr || shared_ == nullptr) co_return own;
  // These stay there: in process they would live on past the time they were given.
  const SharedAnswers::Found found = co_await shared_->find(std::move(key));
  own = found[static_cast<std::size_t>(form)];
  other = found[static_cast<std::size_t>(other_form(form))];
  if (own == nullptr && other != nullptr) own = in_other_form(*other, form);
  co_return own;
}

void AnswerStore::store(const CacheKey& key, AnswerForm form, CachedAnswer answer) {
  if (shared_ != nullptr) shared_->store(key, form, answer);
  local_.store(key, form, std::move(answer), std::chrono::steady_clock::now());
}

}  // namespace sentinel::proxy
