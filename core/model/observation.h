// SPDX-License-Identifier: Apache-2.0
// What was seen during an audit, as data. Probes on the host (core/checks) and from outside (cli) make observations;
// the judgements of core/audit see nothing else, so a kept record can be judged again, offline, to the same bytes.
// Observations never hold a secret: lengths, character classes, and fingerprints under the host's key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/model/facts.h"
#include "core/model/request.h"

namespace sentinel {

/// The answer to one probe: a value, or why there is none. A probe that gave neither was not asked: judged unknown.
struct Observation {
  std::string probe;     ///< "sshd.effective"
  std::string origin;    ///< where the value was read: a command line, a file, a socket
  nlohmann::json value;  ///< of the probe's own shape; null with an error
  std::optional<Error> error;
  std::uint64_t duration_us = 0;

  bool operator==(const Observation&) const = default;
};

/// By the probe's name.
using Observations = std::map<std::string, Observation>;

/// One probe to be asked, with what it has to know ("docker.containers" of which project).
struct ProbeOrder {
  std::string probe;
  nlohmann::json with = nlohmann::json::object();

  bool operator==(const ProbeOrder&) const = default;
};

/// The question of an audit to an agent. Read-only by its type: it names probes, never actions.
struct AuditRequest {
  std::string host;  ///< the name the project gives it
  std::vector<ProbeOrder> probes;
  /// The resources of the playbook, so that controls can say whether what repairs them is in place.
  std::vector<Resource> resources;
  /// Those the resources use, by name. Their values don't travel: an auditor needs none, the host compares with its own.
  std::vector<SecretSpec> secrets;
  std::vector<std::string> keep_open;  ///< as in Request

  bool operator==(const AuditRequest&) const = default;
};

/// The answer: everything the host was asked about.
struct HostRecord {
  std::string host;
  std::string taken_at;  ///< RFC 3339, UTC, by the host's clock
  Facts facts;
  Observations observations;
  std::vector<std::string> in_place;  ///< step ids whose resource is as it should be
  /// Step id -> what would change there.
  std::map<std::string, std::vector<std::string>> pending;
  /// Step id -> why the resource could not be looked at.
  std::map<std::string, std::string> unplanned;

  bool operator==(const HostRecord&) const = default;
};

void to_json(nlohmann::json& json, const Observation& value);
void from_json(const nlohmann::json& json, Observation& value);
void to_json(nlohmann::json& json, const ProbeOrder& value);
void from_json(const nlohmann::json& json, ProbeOrder& value);
void to_json(nlohmann::json& json, const AuditRequest& value);
void from_json(const nlohmann::json& json, AuditRequest& value);
void to_json(nlohmann::json& json, const HostRecord& value);
void from_json(const nlohmann::json& json, HostRecord& value);

}  // namespace sentinel
