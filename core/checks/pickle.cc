// SPDX-License-Identifier: Apache-2.0
// A stack machine over JSON values. Depth and size are bounded by the input's size, which its reader bounds. What is no
// data, a class or what a call of it makes, is a binary value, which JSON from elsewhere never has.
#include "core/checks/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

namespace sentinel {
namespace {

using nlohmann::json;

Error malformed(const std::string& what) {
  return {"probe.failed", "fail2ban's answer can't be read: " + what};
}

json object() {
  return json::binary({});
}

/// Python's own class of texts, by both its names: a call of it on a text is that text.
json text_class() {
  return json::binary({'s'});
}

class Unpickler {
 public:
  explicit Unpickler(std::string_view bytes) : rest_(bytes) {}

  Result<json> run() {
    for (;;) {
      SENTINEL_TRY(const auto opcode, take(1));
      if (opcode[0] == '.') return result();
      SENTINEL_CHECK(step(opcode[0]));
    }
  }

 private:
  Result<std::string_view> take(std::size_t count) {
    if (count > rest_.size()) return malformed("it ends too early");
    const auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  Result<std::uint64_t> number(std::size_t bytes) {
    SENTINEL_TRY(const auto text, take(bytes));
    std::uint64_t out = 0;
    for (std::size_t i = bytes; i > 0; --i) out = out << 8 | static_cast<unsigned char>(text[i - 1]);
    return out;
  }

  Result<void> push_text(std::size_t length_bytes) {
    SENTINEL_TRY(const auto length, number(length_bytes));
    SENTINEL_TRY(const auto text, take(length));
    stack_.emplace_back(std::string(text));
    return {};
  }

  Result<void> push_signed(std::size_t bytes) {
    SENTINEL_TRY(const auto raw, number(bytes));
    const std::uint64_t sign = bytes == 0 || bytes == 8 ? 0 : 1ULL << (bytes * 8 - 1);
    const bool negative = sign != 0 && (raw & sign) != 0;
    stack_.emplace_back(negative ? static_cast<std::int64_t>(raw) - (static_cast<std::int64_t>(sign) << 1)
                                 : static_cast<std::int64_t>(raw));
    return {};
  }

  Result<void> push_float() {
    SENTINEL_TRY(const auto text, take(8));
    std::uint64_t bits = 0;
    for (const char c : text) bits = bits << 8 | static_cast<unsigned char>(c);
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    stack_.emplace_back(value);
    return {};
  }

  /// Everything above the last mark.
  Result<json> pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) return malformed("no mark");
    auto out = json::array();
    for (auto i = marks_.back(); i < stack_.size(); ++i) out.push_back(std::move(stack_[i]));
    stack_.resize(marks_.back());
    marks_.pop_back();
    return out;
  }

  Result<void> make_tuple(std::size_t count) {
    if (count > stack_.size()) return malformed("a tuple of too little");
    auto out = json::array();
    for (auto i = stack_.size() - count; i < stack_.size(); ++i) out.push_back(std::move(stack_[i]));
    stack_.resize(stack_.size() - count);
    stack_.push_back(std::move(out));
    return {};
  }

  Result<void> append(json items) {
    if (stack_.empty() || !stack_.back().is_array()) return malformed("nothing to append to");
    for (auto& item : items) stack_.back().push_back(std::move(item));
    return {};
  }

  Result<void> set_items(json items) {
    if (stack_.empty() || !stack_.back().is_object() || items.size() % 2 != 0)
      return malformed("nothing to put items into");
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (!items[i].is_string()) return malformed("a key that is no text");
      stack_.back()[items[i].get<std::string>()] = std::move(items[i + 1]);
    }
    return {};
  }

  Result<void> pop_and(Result<void> (Unpickler::*use)(json), std::size_t count) {
    if (count > stack_.size()) return malformed("too little on the stack");
    auto items = json::array();
    for (auto i = stack_.size() - count; i < stack_.size(); ++i) items.push_back(std::move(stack_[i]));
    stack_.resize(stack_.size() - count);
    return (this->*use)(std::move(items));
  }

  Result<void> push_class(const json& module, const json& name) {
    const bool text = (module == "builtins" && name == "str") || (module == "__builtin__" && name == "unicode");
    return push(text ? text_class() : object());
  }

  Result<void> push_class_of_stack() {
    SENTINEL_CHECK(make_tuple(2));
    const auto names = std::move(stack_.back());
    stack_.pop_back();
    return push_class(names[0], names[1]);
  }

  Result<std::string_view> line() {
    SENTINEL_TRY(const auto text, take(rest_.find('\n') + 1));
    if (text.empty()) return malformed("a line without an end");
    return text.substr(0, text.size() - 1);
  }

  Result<void> push_class_of_lines() {
    SENTINEL_TRY(const auto module, line());
    SENTINEL_TRY(const auto name, line());
    return push_class(module, name);
  }

  /// A call of the class below its arguments.
  Result<void> reduce() {
    SENTINEL_CHECK(make_tuple(2));
    auto call = std::move(stack_.back());
    stack_.pop_back();
    const auto& arguments = call[1];
    const bool text = call[0] == text_class() && arguments.size() == 1 && arguments[0].is_string();
    return push(text ? std::move(call[1][0]) : object());
  }

  /// An object's state, which nobody wants.
  Result<void> drop_state() {
    if (stack_.size() < 2) return malformed("a state of nothing");
    stack_.pop_back();
    return {};
  }

  Result<void> remember(std::uint64_t index) {
    if (stack_.empty()) return malformed("nothing to remember");
    memo_[index] = stack_.back();
    return {};
  }

  Result<void> recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return malformed("nothing was remembered");
    stack_.push_back(found->second);
    return {};
  }

  Result<void> step(char opcode) {
    switch (opcode) {
      case '\x80': return take(1).ok() ? Result<void>() : malformed("no protocol");
      case '\x95': return take(8).ok() ? Result<void>() : malformed("no frame");
      case '\x94': return remember(memo_.size());
      case '\x8c': return push_text(1);
      case 'X':
      case 'T': return push_text(4);
      case 'C':
      case 'U': return push_text(1);
      case 'K': return push_unsigned(1);
      case 'M': return push_unsigned(2);
      case 'J': return push_signed(4);
      case '\x8a': return push_long();
      case 'G': return push_float();
      case 'N': return push(nullptr);
      case '\x88': return push(true);
      case '\x89': return push(false);
      case ']':
      case ')':
      case '\x8f': return push(json::array());
      case '}': return push(json::object());
      case '(': marks_.push_back(stack_.size()); return {};
      case 't': {
        SENTINEL_TRY(auto items, pop_to_mark());
        return push(std::move(items));
      }
      case '\x85': return make_tuple(1);
      case '\x86': return make_tuple(2);
      case '\x87': return make_tuple(3);
      case 'a': return pop_and(&Unpickler::append, 1);
      case 's': return pop_and(&Unpickler::set_items, 2);
      case 'e':
      case '\x90': {
        SENTINEL_TRY(auto items, pop_to_mark());
        return append(std::move(items));
      }
      case 'u': {
        SENTINEL_TRY(auto items, pop_to_mark());
        return set_items(std::move(items));
      }
      case 'q':
      case 'h': {
        SENTINEL_TRY(const auto index, number(1));
        return opcode == 'q' ? remember(index) : recall(index);
      }
      case 'c': return push_class_of_lines();
      case '\x93': return push_class_of_stack();
      case 'R':
      case '\x81': return reduce();
      case 'b': return drop_state();
      default: return malformed(fmt::format("opcode {:#x}", static_cast<unsigned char>(opcode)));
    }
  }

  Result<void> push(json value) {
    stack_.push_back(std::move(value));
    return {};
  }

  Result<void> push_unsigned(std::size_t bytes) {
    SENTINEL_TRY(const auto value, number(bytes));
    return push(value);
  }

  Result<void> push_long() {
    SENTINEL_TRY(const auto bytes, number(1));
    if (bytes > 8) return malformed("a number beyond 64 bits");
    return push_signed(bytes);
  }

  Result<json> result() {
    if (stack_.size() != 1) return malformed("not one value");
    return std::move(stack_.back());
  }

  std::string_view rest_;
  std::vector<json> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, json> memo_;
};

}  // namespace

std::string pickle_words(const std::vector<std::string>& words) {
  std::string out("\x80\x02](", 4);
  for (const auto& word : words) {
    out += 'X';
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(word.size() >> shift & 0xff);
    out += word;
  }
  return out + "e.";
}

Result<json> unpickle(std::string_view bytes) {
  return Unpickler(bytes).run();
}

bool has_object(const json& value) {
  if (!value.is_structured()) return value.is_binary();
  return std::any_of(value.begin(), value.end(), [](const json& item) { return has_object(item); });
}

}  // namespace sentinel
