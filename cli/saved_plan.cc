// SPDX-License-Identifier: Apache-2.0
// JSON; contents in base64, since they may be any bytes.
#include "cli/saved_plan.h"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/config/project.h"
#include "core/model/json.h"
#include "core/model/transaction_id.h"
#include "core/report/documents.h"

namespace sentinel {
namespace {

constexpr std::size_t kMaxPlanFile = 256U << 20;

Error unreadable(const std::string& path, const std::string& why) {
  return Error("plan.unreadable", fmt::format("{} is not a plan of this version: {}", path, why),
               "make a new one: sentinelctl plan --out FILE", ExitCode::kUsage);
}

nlohmann::json encode_contents(const Contents& contents) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [digest, bytes] : contents) json[digest] = base64_encode(bytes);
  return json;
}

Result<Contents> decode_contents(const nlohmann::json& json) {
  Contents contents;
  for (const auto& [digest, text] : json.items()) {
    auto bytes = base64_decode(text.get<std::string>());
    if (!bytes || sha256_hex(*bytes) != digest) {
      return Error("plan.damaged", fmt::format("the content {} in the plan is not what it was", digest.substr(0, 12)),
                   "make a new plan", ExitCode::kUsage);
    }
    contents.emplace(digest, std::move(*bytes));
  }
  return contents;
}

Result<SavedPlan> decode_plan(const std::string& path, const nlohmann::json& json) {
  try {
    if (json.at("schema_version") != kSchemaVersion) return unreadable(path, "another schema_version");
    SavedPlan plan;
    json.at("created").get_to(plan.created);
    json.at("project").get_to(plan.project);
    json.at("project_digest").get_to(plan.project_digest);
    for (const auto& entry : json.at("hosts")) {
      SavedHostPlan host;
      entry.at("transaction").get_to(host.transaction);
      if (!is_transaction_id(host.transaction)) return unreadable(path, "a transaction id is malformed");
      entry.at("request").get_to(host.request);
      entry.at("plan").get_to(host.plan);
      SENTINEL_TRY(host.contents, decode_contents(entry.at("contents")));
      plan.hosts.push_back(std::move(host));
    }
    return plan;
  } catch (const nlohmann::json::exception& failure) {
    return unreadable(path, failure.what());
  }
}

}  // namespace

const SavedHostPlan* SavedPlan::find(const std::string& host) const {
  const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const SavedHostPlan& h) { return h.request.host == host; });
  return found == hosts.end() ? nullptr : &*found;
}

std::string digest_of_project(const std::string& directory) {
  const auto text = read_whole_file(fmt::format("{}/{}", directory, kProjectFile));
  return text.ok() ? sha256_hex(*text) : std::string();
}

Result<void> write_saved_plan(const std::string& path, const SavedPlan& plan) {
  nlohmann::json hosts = nlohmann::json::array();
  for (const SavedHostPlan& host : plan.hosts) {
    hosts.push_back({{"transaction", host.transaction},
                     {"request", host.request},
                     {"contents", encode_contents(host.contents)},
                     {"plan", host.plan}});
  }
  const nlohmann::json json{{"schema_version", kSchemaVersion},
                            {"created", plan.created},
                            {"project", plan.project},
                            {"project_digest", plan.project_digest},
                            {"hosts", hosts}};
  return replace_file(std::filesystem::absolute(path), to_text(json) + "\n", FileAttributes{geteuid(), getegid(), 0600});
}

Result<SavedPlan> read_saved_plan(const std::string& path) {
  auto text = read_whole_file(path, kMaxPlanFile);
  if (!text.ok()) return std::move(text).error().exits(ExitCode::kUsage);
  const auto json = parse_json(*text);
  if (!json.ok()) return unreadable(path, json.error().message);
  return decode_plan(path, *json);
}

}  // namespace sentinel
