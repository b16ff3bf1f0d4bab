// SPDX-License-Identifier: Apache-2.0
// Reads only. A host that never saw a transaction answers with empty fields, not with errors.
#include "agent/local_view.h"

#include "core/engine/history.h"
#include "core/engine/journal.h"
#include "core/engine/lease.h"
#include "core/model/json.h"
#include "core/release/registry.h"

namespace sentinel::agent {
namespace {

Result<nlohmann::json> running_view(HostState& host) {
  SENTINEL_TRY(const auto status, host.machine.status(host.directory.lease()));
  if (status.type == FileType::kAbsent) return nlohmann::json();
  SENTINEL_TRY(const auto holder, Lease::holder(host.directory.lease()));
  if (!holder) return nlohmann::json();
  return nlohmann::json{{"transaction", holder->transaction},
                        {"operator", holder->operator_name},
                        {"purpose", holder->purpose},
                        {"since", holder->started}};
}

}  // namespace

Result<nlohmann::json> status_view(HostState& host) {
  SENTINEL_TRY(const auto generation, host.generations.current());
  SENTINEL_TRY(const auto head, host.audit.head());
  SENTINEL_TRY(const auto entries, host.audit.read());
  SENTINEL_TRY(const auto running, running_view(host));
  SENTINEL_TRY(const auto apps, ReleaseRegistry(host.machine, host.directory).read());
  nlohmann::json releases = nlohmann::json::object();
  for (const auto& app : apps) releases[app.app] = app.current;
  nlohmann::json interrupted = nlohmann::json::array();
  if (running.is_null()) {
    SENTINEL_TRY(const auto open, journal::open_transactions(host.machine, host.directory));
    for (const auto& id : open.transactions) interrupted.push_back(id);
    for (const auto& [id, error] : open.damaged) interrupted.push_back(id);
  }
  return nlohmann::json{{"generation", generation},
                        {"audit_head", head},
                        {"running", running},
                        {"interrupted", interrupted},
                        {"releases", releases},
                        {"last_transaction", entries.empty() ? nlohmann::json() : nlohmann::json(entries.back())}};
}

Result<nlohmann::json> all_releases_view(HostState& host) {
  SENTINEL_TRY(const auto apps, ReleaseRegistry(host.machine, host.directory).read());
  return nlohmann::json(apps);
}

Result<nlohmann::json> releases_view(HostState& host, const std::string& app) {
  SENTINEL_TRY(const auto releases, ReleaseRegistry(host.machine, host.directory).read(app));
  return nlohmann::json(releases);
}

Result<nlohmann::json> history_view(HostState& host) {
  SENTINEL_TRY(const auto entries, history(host));
  nlohmann::json out = nlohmann::json::array();
  for (const auto& [entry, restorable] : entries) {
    nlohmann::json line = entry;
    line["restorable"] = restorable;
    out.push_back(std::move(line));
  }
  return out;
}

Result<nlohmann::json> audit_view(HostState& host, const std::string& head) {
  SENTINEL_TRY(const bool contains, host.audit.contains_head(head));
  return nlohmann::json{{"contains", contains}};
}

Result<std::string> latest_transaction(HostState& host) {
  SENTINEL_TRY(const auto running, running_view(host));
  if (!running.is_null()) return running.at("transaction").get<std::string>();
  SENTINEL_TRY(const auto open, journal::open_transactions(host.machine, host.directory));
  if (!open.transactions.empty()) return open.transactions.back();
  SENTINEL_TRY(const auto entries, host.audit.read());
  return entries.empty() ? std::string() : entries.back().transaction;
}

}  // namespace sentinel::agent
