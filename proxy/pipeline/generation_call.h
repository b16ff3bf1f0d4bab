// SPDX-License-Identifier: Apache-2.0
// One call of an endpoint that generates: the answer whole or as a stream, keep-alive comments, the event that was
// asked for on the client's behalf, and the use that is accounted in the end.
#pragma once

#include <optional>

#include "proxy/net/sse_reader.h"
#include "proxy/pipeline/generation_handler.h"
#include "proxy/pipeline/hidden_usage.h"
#include "proxy/pipeline/upstream_call.h"

namespace sentinel::proxy {

class GenerationCall final : public UpstreamCall {
 public:
  /// What the client asked for. It goes as soon as no attempt can follow: streams last.
  struct Question {
    GenerationRequest request;
    Buffer body;
  };

  /// Context and shape outlive the call. With a key, a good answer is kept in the cache.
  GenerationCall(RequestContext& context, const GenerationShape& shape, Question question,
                 std::unique_ptr<AttemptSequence> attempts, std::optional<CacheKey> cache_key);

  /// Until the client has its answer, or is gone.
  Task<void> run();

 private:
  OutgoingRequest outgoing(const UpstreamTarget& target) override;
  Task<bool> break_silence() override;
  void pass_on(std::string_view bytes) override;
  void pass_rest() override;

  /// Asks, and answers what doesn't come as a stream. True: a stream comes.
  Task<bool> open_stream();
  Task<void> end_stream(RelayEnd end);
  Task<void> answer_whole();
  Task<void> answer_upstream_error();
  Task<void> fail(ClientStatus status);
  /// The upstream answered with 200, but not with what this endpoint answers.
  Task<void> answer_is_wrong(int status, std::string_view code, std::string message);

  /// Reads an event; what the client gets to see of it.
  SeenEvent look_at(const SseEvent& event);
  void write(const SeenEvent& seen);
  void begin_stream();
  /// Whether a stream that ends here is whole, with or without a last word.
  bool complete() const;
  /// Ends the stream with an error event; its status is spent.
  Task<void> end_with_error(std::string_view code, std::string_view message);
  /// Keeps a part of the answer for the cache, as long as it isn't too large.
  void keep(std::string_view bytes);
  void store();
  /// Metrics and usage, once, before the last bytes go out: whoever has the answer can rely on its being counted.
  void settle();

  bool strips() const { return asked_for_usage_; }

  /// What the attempts need.
  struct Asked {
    Question question;
    std::unique_ptr<AttemptSequence> attempts;
    Splices splices{};
  };

  const GenerationShape& shape_;
  std::unique_ptr<Asked> asked_;  ///< null: an upstream has begun to answer well
  std::uint64_t choices_;         ///< asked for
  std::uint64_t estimated_input_;
  SseReader events_;
  bool asked_for_usage_ = false;  ///< the client didn't
  bool stripped_last_ = false;    ///< the event before was left out
  bool answering_ = false;        ///< the upstream began to answer well
  bool ended_ = false;            ///< the stream has said that it ends
  bool cut_off_ = false;          ///< it ended before its end
  bool inside_event_ = false;     ///< the last event sent lacks its end
  std::uint64_t finished_ = 0;    ///< choices that have said why they end
  bool broken_ = false;           ///< what was answered is not to be kept
  bool settled_ = false;
  std::size_t text_bytes_ = 0;
  std::optional<CacheKey> cache_key_;
  std::string kept_;
};

}  // namespace sentinel::proxy
