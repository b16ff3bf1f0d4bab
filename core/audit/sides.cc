// SPDX-License-Identifier: Apache-2.0
#include "core/audit/sides.h"

#include <fmt/format.h>

namespace sentinel {

bool is_behind_cloudflare(const nlohmann::json& with) {
  const auto found = with.find("cloudflare");
  return found != with.end() && found->is_boolean() && found->get<bool>();
}

std::vector<std::string> sides_of(const nlohmann::json& with) {
  if (is_behind_cloudflare(with)) return {"origin", "edge"};
  return {"origin"};
}

std::string front_of(const nlohmann::json& with) {
  return is_behind_cloudflare(with) ? "edge" : "origin";
}

std::string text_at(const nlohmann::json& object, const char* key) {
  return object.at(key).get<std::string>();
}

bool is_answer(const std::string& probe, const std::string& side, const nlohmann::json& answer, bool needed,
               Ruling& ruling) {
  if (answer.contains("error")) {
    ruling.saw(probe, fmt::format("{}: {}", side, text_at(answer, "error")));
    if (needed) ruling.fault(fmt::format("{}: {}", side, text_at(answer, "error")), Persistence::kRuntimeOnly);
    return false;
  }
  const auto status = answer.at("status").get<int>();
  ruling.saw(probe, fmt::format("{}: status {}, {} ms, from {}", side, status, answer.at("ms").get<int>(),
                                text_at(answer, "address")));
  const auto& headers = answer.at("headers");
  if (headers.contains("cf-mitigated")) {
    ruling.cannot_tell(fmt::format("{}: Cloudflare challenged the probe ({}), so the application wasn't asked", side,
                                   text_at(headers, "cf-mitigated")));
    ruling.trap("bot-fight-blocks-probes",
                "Bot Fight Mode or a rule answers programs with a challenge in place of the application",
                "let the path or the probe's address past bot protection, or look from elsewhere");
    return false;
  }
  if (status >= 520 && status <= 527 && headers.contains("cf-ray")) {
    ruling.fault(fmt::format("{}: Cloudflare couldn't get an answer of the host (status {})", side, status),
                 Persistence::kRuntimeOnly);
    return false;
  }
  return true;
}

}  // namespace sentinel
