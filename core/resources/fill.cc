// SPDX-License-Identifier: Apache-2.0
// Intermediate forms of a value are Secrets, too, so that every copy is wiped.
#include "core/resources/fill.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/quote.h"

namespace sentinel {
namespace {

Result<Secret> quoted(const Hole& hole, const Secret& value) {
  Secret current = value;
  for (const auto& filter : hole.filters) {
    auto next = apply_quoting(filter, current.reveal());
    // The filter's own error might describe the value.
    if (!next.ok()) {
      return Error("secret.not-quotable",
                   fmt::format("the value of secret '{}' cannot be written with the filter '{}'", hole.secret, filter));
    }
    current = Secret(std::move(next).value());
  }
  return current;
}

}  // namespace

Result<Secret> fill(const Content& content, const SecretLookup& secrets) {
  std::vector<Secret> parts;
  std::size_t size = 0;
  for (const auto& piece : content.pieces()) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      parts.emplace_back(*text);
    } else {
      const auto& hole = std::get<Hole>(piece);
      const Secret* value = secrets(hole.secret);
      if (value == nullptr) return Error("secret.no-value", fmt::format("secret '{}' has no value", hole.secret));
      SENTINEL_TRY(auto filled, quoted(hole, *value));
      parts.push_back(std::move(filled));
    }
    size += parts.back().reveal().size();
  }
  std::string whole;
  whole.reserve(size);  // growing would leave unwiped copies behind
  for (const auto& part : parts) whole += part.reveal();
  return Secret(std::move(whole));
}

std::vector<std::string> secrets_without_value(const Content& content, const SecretLookup& secrets) {
  std::vector<std::string> names;
  for (const auto& piece : content.pieces()) {
    const auto* hole = std::get_if<Hole>(&piece);
    if (hole == nullptr || secrets(hole->secret) != nullptr) continue;
    if (std::find(names.begin(), names.end(), hole->secret) == names.end()) names.push_back(hole->secret);
  }
  return names;
}

}  // namespace sentinel
