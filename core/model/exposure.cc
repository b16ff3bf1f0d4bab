// SPDX-License-Identifier: Apache-2.0
// Codecs of what is reachable.
#include "core/model/exposure.h"

#include "core/model/json_fields.h"

namespace sentinel {

void to_json(nlohmann::json& json, const ListeningSocket& value) {
  json = {{"protocol", value.protocol},
          {"address", value.address},
          {"port", value.port},
          {"v6_only", value.v6_only ? nlohmann::json(*value.v6_only) : nlohmann::json(nullptr)},
          {"process", value.process}};
}

void from_json(const nlohmann::json& json, ListeningSocket& value) {
  json.at("protocol").get_to(value.protocol);
  json.at("address").get_to(value.address);
  json.at("port").get_to(value.port);
  if (const auto& only = json.at("v6_only"); !only.is_null()) value.v6_only = only.get<bool>();
  json.at("process").get_to(value.process);
}

SENTINEL_JSON_FIELDS(Reach, family, protocol, port, addresses, sources, except, leads_to, owner, why, translated,
                     answered, unclear)

}  // namespace sentinel
