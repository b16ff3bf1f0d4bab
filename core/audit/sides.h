// SPDX-License-Identifier: Apache-2.0
// What the judgements over outside probes share: the sides of a site, and how an answer that never came reads.
#pragma once

#include <string>
#include <vector>

#include "core/audit/ruling.h"

namespace sentinel {

/// Where a site is looked at: "origin", the host itself, and with `cloudflare` also "edge", where its name leads.
std::vector<std::string> sides_of(const nlohmann::json& with);
/// Where clients arrive: the edge when there is one.
std::string front_of(const nlohmann::json& with);
bool is_behind_cloudflare(const nlohmann::json& with);

std::string text_at(const nlohmann::json& object, const char* key);

/// Whether an HTTP answer of the host or its edge can be judged at all. Notes evidence; a bot challenge can't be told
/// from the application's own answer, an answer that never came is a fault where it is `needed`.
bool is_answer(const std::string& probe, const std::string& side, const nlohmann::json& answer, bool needed,
               Ruling& ruling);

}  // namespace sentinel
