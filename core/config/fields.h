// SPDX-License-Identifier: Apache-2.0
// Reading fields of a mapping that was checked against its schema. A field that is missing or of the wrong kind gives
// the fallback: the check has said so already, and reading goes on to find further mistakes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/yaml.h"

namespace sentinel {

std::string text_field(const Node& node, std::string_view key, std::string fallback = {});
std::int64_t int_field(const Node& node, std::string_view key, std::int64_t fallback);
bool bool_field(const Node& node, std::string_view key, bool fallback);
/// Texts of a list; a scalar counts as a list of one.
std::vector<std::string> list_field(const Node& node, std::string_view key);
/// The field itself, or an empty mapping.
Node mapping_field(const Node& node, std::string_view key);
/// Texts of the scalars in a list node; a scalar counts as a list of one.
std::vector<std::string> texts_of(const Node& node);

/// Nodes that no file holds.
Node text_node(std::string text);
Node mapping_node();

}  // namespace sentinel
