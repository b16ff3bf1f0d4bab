// SPDX-License-Identifier: Apache-2.0
// The part of Python's pickle format that fail2ban's socket speaks (pickletools documents the opcodes): a list of words
// as a question, plain data as an answer. Nothing of what arrives is ever run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace sentinel {

/// A list of texts, protocol 2.
std::string pickle_words(const std::vector<std::string>& words);

/// Lists, tuples and sets as arrays, dictionaries with text keys as objects, numbers, texts, true, false, None. An
/// object that says it is a text is that text (fail2ban's addresses); any other, an exception for instance, is a binary
/// value and nothing of it is told. Error `probe.failed` for a truncated text and anything else.
Result<nlohmann::json> unpickle(std::string_view bytes);
/// Whether there is an object in a value that came so: it was not understood as a whole.
bool has_object(const nlohmann::json& value);

}  // namespace sentinel
