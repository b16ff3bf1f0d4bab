// SPDX-License-Identifier: Apache-2.0
// Answers that were kept, in the form a client asks for: its own before one made of the other.
#pragma once

#include <memory>

#include "proxy/cache/answer_form.h"
#include "proxy/cache/response_cache.h"

namespace sentinel::proxy {

/// One per worker, on its thread.
class AnswerStore {
 public:
  explicit AnswerStore(ResponseCache& local) : local_(local) {}

  /// Null: none, or none that can be told in this form. A stream is one with usage.
  std::shared_ptr<const CachedAnswer> find(const CacheKey& key, AnswerForm form);
  /// `answer`: a stream with usage, or a whole answer.
  void store(const CacheKey& key, AnswerForm form, CachedAnswer answer);

  std::size_t most_answer() const { return local_.most_answer(); }

 private:
  ResponseCache& local_;
};

}  // namespace sentinel::proxy
