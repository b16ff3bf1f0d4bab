// SPDX-License-Identifier: Apache-2.0
// The serialized form is canonical: nlohmann's compact dump with keys sorted, so digests agree between programs.
#include "core/model/content.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/digest.h"

namespace sentinel {

void Content::append(std::string text) {
  if (text.empty()) return;
  if (!pieces_.empty()) {
    if (auto* last = std::get_if<std::string>(&pieces_.back())) {
      *last += text;
      return;
    }
  }
  pieces_.emplace_back(std::move(text));
}

void Content::append(Hole hole) { pieces_.emplace_back(std::move(hole)); }

void Content::append(const Content& other) {
  for (const auto& piece : other.pieces_) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      append(*text);
    } else {
      append(std::get<Hole>(piece));
    }
  }
}

bool Content::has_holes() const {
  for (const auto& piece : pieces_) {
    if (std::holds_alternative<Hole>(piece)) return true;
  }
  return false;
}

std::string Content::serialize() const {
  if (!has_holes()) return pieces_.empty() ? std::string() : std::get<std::string>(pieces_.front());
  nlohmann::json out = nlohmann::json::array();
  for (const auto& piece : pieces_) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      out.push_back(*text);
    } else {
      const auto& hole = std::get<Hole>(piece);
      out.push_back({{"secret", hole.secret}, {"filters", hole.filters}});
    }
  }
  return out.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

Result<Content> Content::parse(const std::string& bytes, bool holes) {
  Content out;
  if (!holes) {
    out.append(bytes);
    return out;
  }
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (!json.is_array()) return Error("content.malformed", "a content with secrets is not a JSON array");
  for (const auto& piece : json) {
    if (piece.is_string()) {
      out.append(piece.get<std::string>());
      continue;
    }
    const auto secret = piece.is_object() ? piece.find("secret") : piece.end();
    const auto filters = piece.is_object() ? piece.find("filters") : piece.end();
    if (!piece.is_object() || secret == piece.end() || !secret->is_string() || filters == piece.end() ||
        !filters->is_array()) {
      return Error("content.malformed", "a content with secrets holds something that is neither text nor a hole");
    }
    Hole hole{secret->get<std::string>(), {}};
    for (const auto& filter : *filters) {
      if (!filter.is_string()) return Error("content.malformed", "a hole's filter is not a string");
      hole.filters.push_back(filter.get<std::string>());
    }
    out.append(std::move(hole));
  }
  return out;
}

std::string Content::display() const {
  std::string out;
  for (const auto& piece : pieces_) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      out += *text;
    } else {
      out += fmt::format("[secret {}]", std::get<Hole>(piece).secret);
    }
  }
  return out;
}

ContentRef reference_to(const Content& content) {
  const std::string bytes = content.serialize();
  return {sha256_hex(bytes), content.has_holes(), bytes.size()};
}

}  // namespace sentinel
