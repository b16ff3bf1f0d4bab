// SPDX-License-Identifier: Apache-2.0
// What a file should hold: text with holes where secrets go. The side that renders never has a secret's value; the agent
// fills the holes when it writes the file.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

/// A place that only the agent fills: the secret's name and the quoting filters applied to its value, in order.
struct Hole {
  std::string secret;
  std::vector<std::string> filters;

  bool operator==(const Hole&) const = default;
};

/// Text and holes in order. Adjacent texts are merged by `append`, so equal contents have equal pieces.
class Content {
 public:
  using Piece = std::variant<std::string, Hole>;

  Content() = default;
  explicit Content(std::string text) { append(std::move(text)); }

  void append(std::string text);
  void append(Hole hole);
  void append(const Content& other);

  const std::vector<Piece>& pieces() const { return pieces_; }
  bool has_holes() const;

  /// The bytes that travel and are stored: the text itself when there are no holes, else a JSON array of strings and
  /// {"secret", "filters"} records.
  std::string serialize() const;
  static Result<Content> parse(const std::string& bytes, bool holes);

  /// For people: holes as `[secret NAME]`.
  std::string display() const;

  bool operator==(const Content&) const = default;

 private:
  std::vector<Piece> pieces_;
};

/// Names a content without carrying it: SHA-256 of `serialize()`. For a content without holes that is the digest of the
/// file itself.
struct ContentRef {
  std::string digest;  ///< empty: no content
  bool holes = false;
  std::uint64_t size = 0;  ///< bytes of the serialized form

  bool operator==(const ContentRef&) const = default;
};

ContentRef reference_to(const Content& content);

}  // namespace sentinel
