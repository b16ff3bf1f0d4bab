// SPDX-License-Identifier: Apache-2.0
// Strings are put together as they are written: an escape never crosses the border of two of them, and two halves of a
// surrogate pair become whole again.
#include <fmt/format.h>

#include <map>

#include "proxy/cache/answer_form.h"
#include "proxy/cache/answer_members.h"
#include "proxy/net/sse_reader.h"

namespace sentinel::proxy {
namespace {

constexpr std::uint64_t kMostChoices = 128;
constexpr std::uint64_t kMostToolCalls = 128;

std::string_view inside(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

struct ToolCall {
  std::string_view id;
  std::string_view type;
  std::string_view name;
  std::string arguments;
};

struct Choice {
  std::string_view role;
  std::map<std::string_view, std::optional<std::string>> texts;  ///< nothing: null
  std::map<std::uint64_t, ToolCall> tool_calls;
  std::string_view finish_reason;
};

class Folder {
 public:
  bool take(std::string_view json) {
    JsonCursor cursor(json);
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "choices") return each_element(cursor, [&] { return take_choice(cursor); });
      if (key == "object") return take_object(cursor);
      if (is_one_of(kHeadMembers, key)) return take_head_member(cursor, key, head_);
      if (key == "usage" && cursor.kind() == JsonKind::kObject) {
        usage_ = cursor.text(cursor.take());
        return true;
      }
      // Bytes that hide how long a piece is.
      if (key == "obfuscation") return !take_string(cursor).empty();
      return take_null(cursor);
    });
    return known && cursor.at_end();
  }

  std::optional<std::string> whole() const {
    if (choices_.empty() || usage_.empty() || object_.empty()) return std::nullopt;
    const bool chat = object_ == "\"chat.completion.chunk\"";
    std::string out = answer_begin(head_, chat ? R"("chat.completion")" : object_).append("\"choices\":[");
    for (const auto& [index, choice] : choices_) {
      if (choice.finish_reason.empty()) return std::nullopt;
      if (out.back() != '[') out.push_back(',');
      out.append(fmt::format(R"({{"index":{},)", index));
      if (chat && !append_message(choice, out)) return std::nullopt;
      if (!chat) append_text(choice, out);
      out.append(R"(,"logprobs":null,"finish_reason":)").append(choice.finish_reason).append("}");
    }
    return out.append("],\"usage\":").append(usage_).append("}");
  }

 private:
  bool take_object(JsonCursor& cursor) {
    const std::string_view object = take_string(cursor);
    if (!object_.empty() && object != object_) return false;
    object_ = object;
    return object == "\"chat.completion.chunk\"" || object == "\"text_completion\"";
  }

  bool take_choice(JsonCursor& cursor) {
    std::optional<std::uint64_t> index;
    Choice read;
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "index") {
        index = json_unsigned(cursor.text(cursor.take()));
        return index.has_value() && *index < kMostChoices;
      }
      if (key == "delta") return take_delta(cursor, read);
      if (key == "text") return take_text(cursor, "text", read);
      if (key == "finish_reason" && cursor.kind() == JsonKind::kString) {
        read.finish_reason = take_string(cursor);
        return true;
      }
      return take_null(cursor);
    });
    return known && index && merge(choices_[*index], std::move(read));
  }

  static bool take_delta(JsonCursor& cursor, Choice& read) {
    return each_member(cursor, [&](std::string_view key) {
      if (is_one_of(kTextMembers, key)) return take_text(cursor, key, read);
      if (key == "role" && cursor.kind() == JsonKind::kString) {
        read.role = take_string(cursor);
        return true;
      }
      if (key == "tool_calls" && cursor.kind() == JsonKind::kArray) {
        return each_element(cursor, [&] { return take_tool_call(cursor, read); });
      }
      return take_null(cursor);
    });
  }

  static bool take_text(JsonCursor& cursor, std::string_view key, Choice& read) {
    std::optional<std::string>& text = read.texts[key];
    if (take_null(cursor)) return true;
    const std::string_view piece = take_string(cursor);
    if (piece.empty()) return false;
    text = text.value_or("").append(inside(piece));
    return true;
  }

  static bool take_tool_call(JsonCursor& cursor, Choice& read) {
    std::optional<std::uint64_t> index;
    ToolCall call;
    const bool known = each_member(cursor, [&](std::string_view key) {
      if (key == "index") {
        index = json_unsigned(cursor.text(cursor.take()));
        return index.has_value() && *index < kMostToolCalls;
      }
      if (key == "id" || key == "type") {
        if (take_null(cursor)) return true;
        return !((key == "id" ? call.id : call.type) = take_string(cursor)).empty();
      }
      if (key != "function") return take_null(cursor);
      return each_member(cursor, [&](std::string_view name) {
        if (take_null(cursor)) return true;
        const std::string_view text = take_string(cursor);
        if (text.empty() || (name != "name" && name != "arguments")) return false;
        if (name == "name") {
          call.name = text;
        } else {
          call.arguments.append(inside(text));
        }
        return true;
      });
    });
    if (!known || !index) return false;
    merge(read.tool_calls[*index], call);
    return true;
  }

  static void merge(ToolCall& into, const ToolCall& call) {
    // Some upstreams repeat these, or leave them empty, in later pieces.
    if (into.id.size() <= 2) into.id = call.id;
    if (into.type.empty()) into.type = call.type;
    if (into.name.size() <= 2) into.name = call.name;
    into.arguments.append(call.arguments);
  }

  static bool merge(Choice& into, Choice read) {
    if (!into.finish_reason.empty() && !read.finish_reason.empty()) return false;
    if (into.finish_reason.empty()) into.finish_reason = read.finish_reason;
    if (into.role.empty()) into.role = read.role;
    for (auto& [name, text] : read.texts) {
      std::optional<std::string>& whole = into.texts[name];
      if (text) whole = whole.value_or("").append(*text);
    }
    for (const auto& [index, call] : read.tool_calls) merge(into.tool_calls[index], call);
    return true;
  }

  static std::string quoted(const std::optional<std::string>& text) { return text ? "\"" + *text + "\"" : "null"; }

  static bool append_message(const Choice& choice, std::string& out) {
    if (choice.texts.contains("text")) return false;
    out.append("\"message\":{\"role\":").append(choice.role.empty() ? "\"assistant\"" : choice.role);
    if (!choice.texts.contains("content")) out.append(",\"content\":null");
    for (const auto& [name, text] : choice.texts) out.append(fmt::format(R"(,"{}":{})", name, quoted(text)));
    if (!choice.tool_calls.empty()) {
      out.append(",\"tool_calls\":[");
      for (const auto& [index, call] : choice.tool_calls) {
        if (call.id.size() <= 2 || call.name.size() <= 2) return false;
        if (call.type != "\"function\"" && !call.type.empty()) return false;
        if (out.back() != '[') out.push_back(',');
        out.append(fmt::format(R"({{"id":{},"type":"function","function":{{"name":{},"arguments":"{}"}}}})", call.id,
                               call.name, call.arguments));
      }
      out.push_back(']');
    }
    out.push_back('}');
    return true;
  }

  static void append_text(const Choice& choice, std::string& out) {
    const auto text = choice.texts.find("text");
    out.append("\"text\":").append(quoted(text == choice.texts.end() ? std::string() : text->second));
  }

  AnswerHead head_;
  std::string_view object_;
  std::string_view usage_;
  std::map<std::uint64_t, Choice> choices_;
};

}  // namespace

std::optional<std::string> whole_of_stream(std::string_view events) {
  SseReader reader(events.size() + 1);
  Folder folder;
  // Views of events stay valid: there is one call, and what it joins is kept until the reader's end.
  for (const SseEvent& event : reader.feed(events)) {
    if (event.data.empty() || event.data == "[DONE]") continue;
    if (!folder.take(event.data)) return std::nullopt;
  }
  return folder.whole();
}

}  // namespace sentinel::proxy
