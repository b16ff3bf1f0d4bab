// SPDX-License-Identifier: Apache-2.0
// Answers that were kept, in the form a client asks for: this process's before those in Redis, and an answer's own form
// before one made of the other.
#pragma once

#include <memory>

#include "proxy/cache/answer_form.h"
#include "proxy/cache/response_cache.h"
#include "proxy/cache/shared_answers.h"

namespace sentinel::proxy {

/// One per worker, on its thread.
class AnswerStore {
 public:
  /// `shared` null: there is no Redis.
  AnswerStore(ResponseCache& local, SharedAnswers* shared) : local_(local), shared_(shared) {}

  /// Null: none, or none that can be told in this form. A stream is one with usage.
  Task<std::shared_ptr<const CachedAnswer>> find(CacheKey key, AnswerForm form);
  /// `answer`: a stream with usage, or a whole answer.
  void store(const CacheKey& key, AnswerForm form, CachedAnswer answer);

  std::size_t most_answer() const { return local_.most_answer(); }

 private:
  ResponseCache& local_;
  SharedAnswers* shared_;
};

}  // namespace sentinel::proxy
