// SPDX-License-Identifier: Apache-2.0
// The part of Python's pickle format that fail2ban's socket speaks (pickletools documents the opcodes): a list of words
// as a question, plain data as an answer. Objects are refused: nothing of what arrives is ever run.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace sentinel {

/// A list of texts, protocol 2.
std::string pickle_words(const std::vector<std::string>& words);

/// Lists, tuples and sets as arrays, dictionaries with text keys as objects, numbers, texts, true, false, None. Error
/// `probe.failed` for anything else: an exception that was pickled, an object, a truncated text.
Result<nlohmann::json> unpickle(std::string_view bytes);

}  // namespace sentinel
