// SPDX-License-Identifier: Apache-2.0
// What clients put together of these events is the whole answer again: the deltas hold the message's own members.
#include <fmt/format.h>

#include <vector>

#include "proxy/cache/answer_form.h"
#include "proxy/cache/answer_members.h"

namespace sentinel::proxy {
namespace {

struct Choice {
  std::string index;
  std::string says;  ///< members of a delta, or of a piece of a completion
  std::string finish_reason;
};

/// Upstreams may write over several lines; an event can't. In valid JSON line ends stand between values only.
std::string one_line(std::string_view json) {
  std::string out(json);
  std::erase_if(out, [](char letter) { return letter == '\n' || letter == '\r'; });
  return out;
}

class Unfolder {
 public:
  bool take(std::string_view json) {
    JsonCursor cursor(json);
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "choices") return each_element(cursor, [&] { return take_choice(cursor); });
      if (key == "object") return take_scalar(cursor, object_);
      if (is_one_of(kHeadMembers, key)) return take_head_member(cursor, key, head_);
      if (key == "usage" && cursor.kind() == JsonKind::kObject) {
        usage_ = one_line(cursor.text(cursor.take()));
        return true;
      }
      return take_null(cursor);
    });
    return known && cursor.at_end();
  }

  std::optional<std::string> events() const {
    const bool chat = object_ == R"("chat.completion")";
    if (!chat && object_ != R"("text_completion")") return std::nullopt;
    if (choices_.empty() || usage_.empty() || says_message_ != chat) return std::nullopt;
    const std::string begin = "data: " + answer_begin(head_, chat ? R"("chat.completion.chunk")" : object_);
    std::string out;
    const auto append = [&](const Choice& choice, std::string_view says, std::string_view finish_reason) {
      const std::string said = chat ? fmt::format(R"("delta":{{{}}})", says) : std::string(says);
      out.append(begin).append(
          fmt::format(R"("choices":[{{"index":{},{},"logprobs":null,"finish_reason":{}}}],"usage":null}})",
                      choice.index, said, finish_reason));
      out.append("\n\n");
    };
    for (const Choice& choice : choices_) {
      append(choice, choice.says, "null");
      append(choice, chat ? "" : R"("text":"")", choice.finish_reason);
    }
    return out.append(begin).append("\"choices\":[],\"usage\":").append(usage_).append("}\n\ndata: [DONE]\n\n");
  }

 private:
  bool take_choice(JsonCursor& cursor) {
    Choice choice;
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "index" && cursor.kind() == JsonKind::kNumber) return take_scalar(cursor, choice.index);
      if (key == "finish_reason" && cursor.kind() == JsonKind::kString) {
        return take_scalar(cursor, choice.finish_reason);
      }
      if (key == "message") return says_message_ = take_message(cursor, choice.says);
      if (key == "text" && cursor.kind() == JsonKind::kString) {
        choice.says = "\"text\":";
        choice.says.append(take_string(cursor));
        return true;
      }
      return take_null(cursor);
    });
    if (!known || choice.index.empty() || choice.finish_reason.empty() || choice.says.empty()) return false;
    choices_.push_back(std::move(choice));
    return true;
  }

  static bool take_message(JsonCursor& cursor, std::string& delta) {
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "role" || is_one_of(kTextMembers, key)) {
        std::string value;
        if (cursor.kind() != JsonKind::kString && cursor.kind() != JsonKind::kNull) return false;
        if (!take_scalar(cursor, value)) return false;
        append_member(delta, key, value);
        return true;
      }
      if (key == "tool_calls" && cursor.kind() == JsonKind::kArray) return take_tool_calls(cursor, delta);
      // An empty list says nothing either.
      if (key == "annotations" && cursor.kind() == JsonKind::kArray) return each_element(cursor, [] { return false; });
      return take_null(cursor);
    });
    return known && !delta.empty();
  }

  static bool take_tool_calls(JsonCursor& cursor, std::string& delta) {
    std::string calls = "[";
    std::size_t count = 0;
    const bool known = each_element(cursor, [&] {
      std::string call = fmt::format(R"({{"index":{})", count++);
      const bool whole = each_member(cursor, [&](std::string_view key) {
        if (key == "id" || key == "type") {
          const std::string_view value = take_string(cursor);
          append_member(call, key, value);
          return key == "id" ? value.size() > 2 : value == R"("function")";
        }
        if (key != "function") return take_null(cursor);
        std::string function;
        const bool named = each_member(cursor, [&](std::string_view name) {
          if (name != "name" && name != "arguments") return take_null(cursor);
          const std::string_view value = take_string(cursor);
          append_member(function, name, value);
          return !value.empty();
        });
        append_member(call, "function", "{" + function + "}");
        return named;
      });
      if (calls.size() > 1) calls.push_back(',');
      calls.append(call).push_back('}');
      return whole;
    });
    if (count > 0) append_member(delta, "tool_calls", calls + "]");
    return known;
  }

  static void append_member(std::string& members, std::string_view name, std::string_view value) {
    if (!members.empty()) members.push_back(',');
    members.append("\"").append(name).append("\":").append(value);
  }

  AnswerHead head_;
  std::string object_;
  std::string usage_;
  bool says_message_ = false;
  std::vector<Choice> choices_;
};

}  // namespace

std::optional<std::string> stream_of_whole(std::string_view body) {
  Unfolder unfolder;
  if (!unfolder.take(body)) return std::nullopt;
  return unfolder.events();
}

}  // namespace sentinel::proxy
