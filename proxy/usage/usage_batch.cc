// SPDX-License-Identifier: Apache-2.0
#include "proxy/usage/usage_batch.h"

#include <algorithm>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/model/json.h"

namespace sentinel::proxy {
namespace {

using Json = nlohmann::json;

std::uint64_t number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Another version's reader asks for every member, and takes null for no model.
Json entry_json(const UsageRow& row) {
  return Json{{"email", row.email},
              {"input_tokens", row.input_tokens},
              {"output_tokens", row.output_tokens},
              {"requests", row.requests},
              {"model", row.model.empty() ? Json() : Json(row.model)},
              {"timestamp", row.time}};
}

std::optional<UsageRow> row_of_json(const Json& json) {
  if (!json.is_object() || !json.contains("email") || !json["email"].is_string()) return std::nullopt;
  return UsageRow{text(json, "email"),           text(json, "model"),      number(json, "input_tokens"),
                  number(json, "output_tokens"), number(json, "requests"), text(json, "timestamp")};
}

std::optional<Json> parsed(const std::string& written) {
  Result<Json> json = parse_json(written);
  if (!json.ok()) return std::nullopt;
  return std::move(*json);
}

bool refused(const Json& result) {
  const auto success = result.find("success");
  return success != result.end() && success->is_boolean() && !success->get<bool>();
}

/// Whether a result can be about this row at all.
bool names(const Json& result, const UsageRow& row) {
  const std::string model = text(result, "model");
  return text(result, "email") == row.email && (model.empty() || model == row.model);
}

}  // namespace

void UsageSums::add(const UsageRow& row) {
  const auto [place, is_new] = sums_.try_emplace({row.email, row.model}, row);
  if (is_new) return;
  UsageRow& sum = place->second;
  sum.input_tokens += row.input_tokens;
  sum.output_tokens += row.output_tokens;
  sum.requests += row.requests;
  sum.time = std::min(sum.time, row.time);
}

std::vector<UsageRow> UsageSums::take(std::size_t most) {
  std::vector<UsageRow> rows;
  while (rows.size() < most && !sums_.empty()) {
    rows.push_back(std::move(sums_.begin()->second));
    sums_.erase(sums_.begin());
  }
  return rows;
}

UsageRow row_of(const UsageItem& item) {
  return {item.email, item.model, item.input_tokens, item.output_tokens, item.requests, to_rfc3339(item.time)};
}

std::string batch_request(const UsageBatch& batch) {
  Json increments = Json::array();
  for (const UsageRow& row : batch.rows) {
    Json item{{"email", row.email}, {"timestamp", row.time}};
    if (row.input_tokens > 0) item["aiInputTokens"] = row.input_tokens;
    if (row.output_tokens > 0) item["aiOutputTokens"] = row.output_tokens;
    if (row.requests > 0) item["aiRequests"] = row.requests;
    if (!row.model.empty()) item["model"] = row.model;
    increments.push_back(std::move(item));
  }
  return to_text(Json{{"increments", std::move(increments)}});
}

std::optional<std::vector<UsageRow>> refused_rows(const UsageBatch& batch, const std::string& answer) {
  const std::optional<Json> json = parsed(answer);
  if (!json || !json->is_object() || !json->contains("data")) return std::nullopt;
  const Json& data = (*json)["data"];
  if (!data.is_object()) return std::nullopt;
  std::vector<UsageRow> rows;
  const auto results = data.find("results");
  if (results == data.end() || !results->is_array()) return rows;
  const bool in_order =
      results->size() == batch.rows.size() && std::equal(results->begin(), results->end(), batch.rows.begin(), names);
  std::vector<bool> taken(batch.rows.size(), false);
  std::size_t place = 0;
  for (const Json& result : *results) {
    const std::size_t at = place++;
    if (!result.is_object() || !refused(result)) continue;
    for (std::size_t i = in_order ? at : 0; i < batch.rows.size(); ++i) {
      if (taken[i] || !names(result, batch.rows[i])) continue;
      taken[i] = true;
      rows.push_back(batch.rows[i]);
      break;
    }
  }
  return rows;
}

std::vector<std::string> entries_of(const UsageBatch& batch) {
  std::vector<std::string> entries;
  for (const UsageRow& row : batch.rows) {
    Json json = entry_json(row);
    json["batch"] = batch.id;
    json["attempts"] = batch.attempts;
    json["tried_at"] = batch.tried_at;
    entries.push_back(to_text(json));
  }
  return entries;
}

std::optional<UsageBatch> batch_of_entries(const std::vector<std::string>& entries) {
  UsageBatch batch;
  for (const std::string& entry : entries) {
    const std::optional<Json> json = parsed(entry);
    std::optional<UsageRow> row = json ? row_of_json(*json) : std::nullopt;
    if (!row) return std::nullopt;
    batch.id = text(*json, "batch");
    if (batch.id.empty()) batch.id = "entry-" + sha256_hex(entry).substr(0, 32);
    batch.attempts = static_cast<int>(std::min<std::uint64_t>(1000, number(*json, "attempts")));
    batch.tried_at = static_cast<std::int64_t>(number(*json, "tried_at"));
    const bool again = std::any_of(batch.rows.begin(), batch.rows.end(), [&](const UsageRow& before) {
      return before.email == row->email && before.model == row->model;
    });
    if (!again) batch.rows.push_back(std::move(*row));
  }
  if (batch.rows.empty()) return std::nullopt;
  return batch;
}

std::string row_text(const UsageRow& row) {
  return to_text(entry_json(row));
}

std::optional<UsageRow> row_of_text(const std::string& written) {
  const std::optional<Json> json = parsed(written);
  return json ? row_of_json(*json) : std::nullopt;
}

std::string batch_text(const UsageBatch& batch) {
  Json rows = Json::array();
  for (const UsageRow& row : batch.rows) rows.push_back(entry_json(row));
  return to_text(
      Json{{"id", batch.id}, {"attempts", batch.attempts}, {"tried_at", batch.tried_at}, {"rows", std::move(rows)}});
}

std::optional<UsageBatch> batch_of_text(const std::string& written) {
  const std::optional<Json> json = parsed(written);
  if (!json || !json->is_object() || text(*json, "id").empty() || !json->contains("rows")) return std::nullopt;
  UsageBatch batch{text(*json, "id"),
                   static_cast<int>(number(*json, "attempts")),
                   static_cast<std::int64_t>(number(*json, "tried_at")),
                   {}};
  if (!(*json)["rows"].is_array()) return std::nullopt;
  for (const Json& entry : (*json)["rows"]) {
    std::optional<UsageRow> row = row_of_json(entry);
    if (!row) return std::nullopt;
    batch.rows.push_back(std::move(*row));
  }
  return batch;
}

}  // namespace sentinel::proxy
