// SPDX-License-Identifier: Apache-2.0
// Built from yaml-cpp's events, not from its nodes: events tell quoted from plain scalars, show duplicate keys, and let
// us count what aliases expand to before it fills the memory.
#include "core/config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "core/base/file.h"
#include "core/base/utf8.h"
#include "core/config/yaml_text.h"

namespace sentinel {
namespace {

/// Carries an error through yaml-cpp's frames; never leaves this file.
struct Failure {
  Error error;
};

constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const YamlSource> source, const YamlLimits& limits)
      : lines_(source->text), source_(std::move(source)), limits_(limits) {}

  Node take() {
    if (root_) return std::move(*root_);
    Node nothing;
    nothing.source = source_;
    return nothing;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) {
      fail("yaml.several-documents", "a second document begins here", "one file holds one document: remove the '---'",
           mark);
    }
    started_ = true;
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node = at(mark);
    const auto rest = lines_.from(node.line, node.column);
    const bool written =
        rest.starts_with('~') || rest.starts_with("null") || rest.starts_with("Null") || rest.starts_with("NULL");
    if (!written && !frames_.empty() && frames_.back().key) {
      // An empty value has no text of its own: point at its key.
      node.line = frames_.back().key->line;
      node.column = frames_.back().key->column;
      node.length = frames_.back().key->length;
    } else if (written) {
      node.length = rest.starts_with('~') ? 1 : 4;
    }
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail("yaml.alias", "an alias can't stand inside the value it names", {}, mark);
    count(found->second.weight, mark);
    if (static_cast<int>(frames_.size()) + found->second.depth > limits_.depth) too_deep(mark);
    frame_weight(found->second.weight, found->second.depth);
    place(Node(found->second.node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(tag, mark);
    Node node = at(mark);
    node.kind = Node::Kind::kScalar;
    node.text = value;
    const auto rest = lines_.from(node.line, node.column);
    if (tag == "!" || tag == kStringTag) {
      node.style = rest.starts_with('|') || rest.starts_with('>') ? Node::Style::kBlock : Node::Style::kQuoted;
    }
    // yaml-cpp takes the end of the file for a closing quote.
    const bool quote = rest.starts_with('"') || rest.starts_with('\'');
    if (quote && closing_quote(lines_.text_from(node.line, node.column)) == std::string_view::npos) {
      fail("yaml.syntax", "a quote is not closed", "add the missing quote", mark);
    }
    node.length = scalar_length(rest, node);
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::kSequence);
  }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::kMapping);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    std::optional<Node> key;
    std::unordered_map<std::string, int> lines;  ///< of the keys so far
    YAML::anchor_t anchor = YAML::anchor_t();
    std::size_t weight = 1;  ///< nodes inside, this one included
    int depth = 1;           ///< levels below, this one included
  };

  struct Anchored {
    Node node;
    std::size_t weight = 1;
    int depth = 1;
  };

  [[noreturn]] void fail(std::string code, std::string message, std::string hint, const YAML::Mark& mark) const {
    fail_at(std::move(code), std::move(message), std::move(hint), at(mark));
  }

  [[noreturn]] static void fail_at(std::string code, std::string message, std::string hint, const Node& where) {
    throw Failure{Error(std::move(code), std::move(message), std::move(hint), ExitCode::kUsage).at(where.position())};
  }

  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    fail("yaml.too-deep", fmt::format("values are nested more than {} levels deep", limits_.depth), {}, mark);
  }

  /// A node standing at the mark, behind anchors and tags.
  Node at(const YAML::Mark& mark) const {
    Node node;
    node.source = source_;
    node.line = mark.line + 1;
    node.column = lines_.behind_properties(node.line, mark.column + 1);
    return node;
  }

  void check_tag(const std::string& tag, const YAML::Mark& mark) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag == kStringTag) return;
    Node where = at(mark);
    where.column = mark.column + 1;
    const auto rest = lines_.from(where.line, where.column);
    where.length = static_cast<int>(std::min(rest.find(' '), rest.size()));
    fail_at("yaml.tag",
            fmt::format("the tag '{}' has no meaning here", rest.substr(0, static_cast<std::size_t>(where.length))),
            "remove it; quotes make a value a text", where);
  }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes) {
      fail("yaml.too-many-nodes", fmt::format("the document holds more than {} values", limits_.nodes),
           "aliases count as often as they are used", mark);
    }
  }

  void frame_weight(std::size_t weight, int depth) {
    if (frames_.empty()) return;
    frames_.back().weight += weight;
    frames_.back().depth = std::max(frames_.back().depth, depth + 1);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    check_tag(tag, mark);
    count(1, mark);
    if (static_cast<int>(frames_.size()) >= limits_.depth) too_deep(mark);
    Frame frame;
    frame.node = at(mark);
    frame.node.kind = kind;
    frame.anchor = anchor;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor) anchors_[frame.anchor] = {frame.node, frame.weight, frame.depth};
    frame_weight(frame.weight, frame.depth);
    place(std::move(frame.node));
  }

  void add(Node node, YAML::anchor_t anchor) {
    YAML::Mark mark;
    mark.line = node.line - 1;
    mark.column = node.column - 1;
    count(1, mark);
    if (anchor) anchors_[anchor] = {node, 1, 1};
    frame_weight(1, 1);
    place(std::move(node));
  }

  /// Puts a finished node where it belongs.
  void place(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_sequence()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      check_key(frame, node);
      frame.key = std::move(node);
    } else {
      frame.node.entries.push_back({std::move(*frame.key), std::move(node)});
      frame.key.reset();
    }
  }

  void check_key(Frame& frame, const Node& key) const {
    if (!key.is_scalar()) {
      Node where = key;
      if (lines_.from(key.line, key.column - 1).starts_with("{{")) {
        --where.column;
        where.length = 2;
        fail_at("yaml.bare-template", "a value that begins with '{{' needs quotes", "write \"{{ name }}\"", where);
      }
      fail_at("yaml.key", fmt::format("a key must be a text, not {}", describe(key)), {}, where);
    }
    if (key.text == "<<" && key.style == Node::Style::kPlain) {
      fail_at("yaml.merge-key", "merge keys ('<<') are not supported",
              "write the keys out, or put shared values into 'vars'", key);
    }
    const auto [earlier, added] = frame.lines.emplace(key.text, key.line);
    if (!added) {
      fail_at("yaml.duplicate-key", fmt::format("the key '{}' is here twice", key.text),
              fmt::format("it was first written in line {}; keep one of them", earlier->second), key);
    }
  }

  static int scalar_length(std::string_view rest, const Node& node) {
    std::size_t length = 1;
    if (node.style == Node::Style::kPlain) {
      length = rest.starts_with(node.text) ? node.text.size() : rest.size();
    } else if (node.style == Node::Style::kQuoted && !rest.empty()) {
      const auto end = closing_quote(rest);
      length = end == std::string_view::npos ? rest.size() : end + 1;
    }
    return static_cast<int>(std::max<std::size_t>(1, length));
  }

  YamlLines lines_;
  std::shared_ptr<const YamlSource> source_;
  YamlLimits limits_;
  bool started_ = false;
  std::size_t nodes_ = 0;
  std::optional<Node> root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
};

Result<void> check_text(const YamlSource& source) {
  const auto& text = source.text;
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
  });
  std::size_t bad = control == text.end() ? std::string::npos : static_cast<std::size_t>(control - text.begin());
  bad = std::min(bad, invalid_utf8(text));
  if (bad == std::string::npos) return {};
  Position position;
  position.file = source.path;
  position.line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bad), '\n')) + 1;
  return Error("yaml.not-text",
               fmt::format("this is not UTF-8 text: byte {} is 0x{:02x}", bad, static_cast<unsigned char>(text[bad])),
               "is this the right file? Save it as UTF-8", ExitCode::kUsage)
      .at(position);
}

}  // namespace

Result<Node> parse_yaml(std::string text, const std::string& shown_path, const YamlLimits& limits) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  auto source = std::make_shared<const YamlSource>(YamlSource{shown_path, std::move(text)});
  if (source->text.size() > limits.bytes) {
    return Error("file.too-large", fmt::format("{} is larger than {} bytes", shown_path, limits.bytes), {},
                 ExitCode::kUsage);
  }
  SENTINEL_CHECK(check_text(*source));
  TreeBuilder builder(source, limits);
  try {
    std::istringstream stream(source->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Failure& failure) {
    return failure.error;
  } catch (const YAML::Exception& failure) {
    return explain_syntax(source, failure.msg, failure.mark.line + 1, failure.mark.column + 1);
  }
  return builder.take();
}

Result<Node> load_yaml(const std::string& path, const std::string& shown_path, const YamlLimits& limits) {
  auto text = read_whole_file(path, limits.bytes);
  if (!text.ok()) {
    Error error = std::move(text).error();
    if (error.code == "file.too-large")
      error.message = fmt::format("{} is larger than {} bytes", shown_path, limits.bytes);
    return std::move(error).exits(ExitCode::kUsage);
  }
  return parse_yaml(std::move(text).value(), shown_path, limits);
}

}  // namespace sentinel
