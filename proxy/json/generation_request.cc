// SPDX-License-Identifier: Apache-2.0
#include "proxy/json/generation_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/json/text_size.h"

namespace sentinel::proxy {
namespace {

constexpr std::array<std::string_view, 10> kPoliced{
    "model", "stream",   "stream_options", "max_tokens", "max_completion_tokens", "max_output_tokens",
    "n",     "messages", "prompt",         "input"};
constexpr std::size_t kFirstPrompt = 7;  // from here on: what is counted as the prompt

class Reader {
 public:
  Reader(std::string_view body, const std::vector<RequiredMember>& required) : cursor_(body), required_(required) {}

  GenerationRequestResult read() {
    if (cursor_.kind() != JsonKind::kObject)
      return problem(cursor_.kind() == JsonKind::kBad ? syntax() : "expected an object");
    cursor_.enter_object();
    request_.insert_at = cursor_.offset();
    std::string_view key;
    while (cursor_.next_member(key)) {
      if (std::string wrong = take_member(key); !wrong.empty()) return problem(std::move(wrong));
    }
    if (!cursor_.at_end()) return problem(syntax());
    if (!seen_[0]) return problem("missing field `model`");
    for (const RequiredMember& member : required_) {
      if (std::find(found_.begin(), found_.end(), member.name) == found_.end())
        return problem(fmt::format("missing field `{}`", member.name));
    }
    return {std::move(request_), {}};
  }

 private:
  static GenerationRequestResult problem(std::string text) { return {std::nullopt, std::move(text)}; }

  std::string syntax() const { return fmt::format("not valid JSON near byte {}", cursor_.offset()); }

  std::string take_member(std::string_view key) {
    std::size_t which = 0;
    while (which < kPoliced.size() && !json_key_is(key, kPoliced[which])) ++which;
    const JsonKind kind = cursor_.kind();
    const std::size_t begin = cursor_.offset();
    const bool prompt = which >= kFirstPrompt && which < kPoliced.size();
    if (prompt) {
      take_prompt(kind);
    } else {
      cursor_.take();
    }
    if (cursor_.bad()) return syntax();
    if (which == kPoliced.size()) return {};
    const std::string_view name = kPoliced[which];
    if (std::exchange(seen_[which], true)) return fmt::format("duplicate field `{}`", name);
    for (const RequiredMember& member : required_) {
      if (member.name != name) continue;
      if (member.kind != JsonKind::kBad && member.kind != kind)
        return fmt::format("field `{}` has the wrong type", name);
      found_.push_back(member.name);
    }
    return prompt ? std::string() : keep(name, kind, {begin, cursor_.offset() - begin});
  }

  /// Counts while it takes: prompts are most of a body, and read once.
  void take_prompt(JsonKind kind) {
    if (kind != JsonKind::kArray) {
      request_.prompt_bytes += take_text_bytes(cursor_);
      return;
    }
    cursor_.enter_array();
    while (cursor_.next_element()) {
      if (cursor_.kind() == JsonKind::kObject) ++request_.messages;
      request_.prompt_bytes += take_text_bytes(cursor_);
    }
  }

  std::string keep(std::string_view name, JsonKind kind, JsonSpan span) {
    const std::string_view raw = cursor_.text(span);
    if (name == "model") {
      std::optional<std::string> model = json_string(raw);
      if (!model) return "field `model` must be a string";
      request_.model = std::move(*model);
      request_.model_span = span;
    } else if (name == "stream") {
      if (kind != JsonKind::kTrue && kind != JsonKind::kFalse && kind != JsonKind::kNull)
        return "field `stream` must be a boolean";
      request_.stream = kind == JsonKind::kTrue;
      request_.stream_span = span;
    } else if (name == "stream_options") {
      return keep_stream_options(kind, span);
    } else if (name == "n") {
      request_.choices = std::max<std::uint64_t>(1, json_unsigned(raw).value_or(1));
    } else if (name.starts_with("max_")) {
      if (const std::optional<std::uint64_t> most = json_unsigned(raw))
        request_.max_tokens = std::max(*most, request_.max_tokens.value_or(0));
    }
    return {};
  }

  std::string keep_stream_options(JsonKind kind, JsonSpan span) {
    request_.stream_options_span = span;
    if (kind == JsonKind::kNull) return {};
    if (kind != JsonKind::kObject) return "field `stream_options` must be an object";
    JsonCursor inner(cursor_.text(span));
    inner.enter_object();
    std::string_view key;
    while (inner.next_member(key)) {
      request_.stream_options_empty = false;
      const JsonKind value = inner.kind();
      const JsonSpan place = inner.take();
      if (!json_key_is(key, "include_usage")) continue;
      if (request_.include_usage_span) return "duplicate field `include_usage`";
      request_.include_usage = value == JsonKind::kTrue;
      request_.include_usage_span = JsonSpan{span.offset + place.offset, place.size};
    }
    return {};
  }

  JsonCursor cursor_;
  const std::vector<RequiredMember>& required_;
  GenerationRequest request_;
  std::array<bool, kPoliced.size()> seen_{};
  std::vector<std::string_view> found_;
};

}  // namespace

GenerationRequestResult read_generation_request(std::string_view body, const std::vector<RequiredMember>& required) {
  return Reader(body, required).read();
}

std::uint64_t GenerationRequest::estimated_input() const {
  // Chat models frame each message in about four tokens, and the answer's beginning in three.
  return estimated_tokens(prompt_bytes) + (messages > 0 ? 4 * messages + 3 : 0);
}

void splice_include_usage(const GenerationRequest& request, Splices& splices) {
  if (request.include_usage) return;
  if (request.include_usage_span) {
    splices.replace(*request.include_usage_span, "true");
  } else if (!request.stream_options_span) {
    splices.insert(request.insert_at, R"("stream_options":{"include_usage":true},)");
  } else if (request.stream_options_empty) {
    splices.replace(*request.stream_options_span, R"({"include_usage":true})");
  } else {
    splices.insert(request.stream_options_span->offset + 1, R"("include_usage":true,)");
  }
}

void splice_model(const GenerationRequest& request, std::string_view model, Splices& splices) {
  splices.replace(request.model_span, json_quoted(model));
}

}  // namespace sentinel::proxy
