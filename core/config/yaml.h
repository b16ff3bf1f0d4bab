// SPDX-License-Identifier: Apache-2.0
// YAML as a tree whose every node knows where it stands. yaml.cc is the only file that includes yaml-cpp; everything
// else in the project sees these nodes. Scalars stay text until somebody knows which type is wanted, so `0644` is never
// 420.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/template/template.h"

namespace sentinel {

/// A text a person wrote, kept for the source lines of diagnostics.
struct YamlSource {
  std::string path;  ///< as shown to people: relative to the project where possible
  std::string text;
};

struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  enum class Style { kPlain, kQuoted, kBlock };
  struct Entry;

  Kind kind = Kind::kNull;
  Style style = Style::kPlain;
  std::string text;                          ///< of a scalar, escapes resolved
  std::vector<Node> items;                   ///< of a sequence
  std::vector<Entry> entries;                ///< of a mapping, in the order written; keys are unique
  std::shared_ptr<const YamlSource> source;  ///< null for values that no file holds (--set)
  int line = 0;                              ///< from 1; 0: not in a file
  int column = 0;                            ///< from 1, in bytes
  int length = 1;                            ///< bytes to underline on that line

  bool is_mapping() const { return kind == Kind::kMapping; }

  bool is_sequence() const { return kind == Kind::kSequence; }

  bool is_scalar() const { return kind == Kind::kScalar; }

  bool is_null() const { return kind == Kind::kNull; }

  /// The value of a key of a mapping; null when there is none.
  const Node* find(std::string_view key) const;
  const Entry* find_entry(std::string_view key) const;
  /// For diagnostics, with file and source line.
  Position position() const;
  /// Where the renderer finds this scalar's first byte, so that errors inside templates point into the file.
  TemplateOrigin origin() const;
};

struct Node::Entry {
  Node key;  ///< a scalar
  Node value;
};

/// Bounds of one document; hostile input fails fast and small.
struct YamlLimits {
  std::size_t bytes = 1U << 20;
  int depth = 64;
  std::size_t nodes = 20'000;  ///< after aliases are expanded
};

/// One document. Errors (exit code usage): `yaml.not-text`, `yaml.syntax`, `yaml.duplicate-key`, `yaml.merge-key`,
/// `yaml.tag`, `yaml.key`, `yaml.too-deep`, `yaml.too-many-nodes`, `yaml.several-documents`. An empty text is a null
/// node.
Result<Node> parse_yaml(std::string text, const std::string& shown_path, const YamlLimits& limits = {});

/// Reads and parses a file; `file.too-large` comes before anything is parsed.
Result<Node> load_yaml(const std::string& path, const std::string& shown_path, const YamlLimits& limits = {});

/// The value by YAML 1.2's core rules: true/false, null/~, decimal integers, floats; all else is text. `yes`, `no`,
/// `on`, `off` and digits with a leading zero (`0644`) are text, never booleans or numbers.
Value to_value(const Node& node);

/// "a mapping", "a list", "nothing", "the text 'x'", "the number 3": what was found, for diagnostics.
std::string describe(const Node& node);

}  // namespace sentinel
