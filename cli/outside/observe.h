// SPDX-License-Identifier: Apache-2.0
// The probes that look at a host from the operator's machine, and at Cloudflare: each with its own deadline, all at the
// same time. sshd is not among what they connect to: its port is answered by the session the audit came over.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"
#include "core/model/observation.h"

namespace sentinel {

struct OutsideView {
  std::string address;          ///< of the host, as the project gives it
  std::uint16_t ssh_port = 22;  ///< never knocked at
  std::string ca_file;          ///< the only authorities trusted; empty: the system's
  std::chrono::milliseconds deadline{10'000};
  std::function<Result<Secret>(const std::string&)> secret;                ///< by its name in the project
  std::function<std::optional<std::string>(const std::string&)> variable;  ///< of the environment
};

/// True for probes that are asked here and not of the host: "outside.tls", "cloudflare.dns".
bool is_outside_probe(const std::string& probe);

/// Answers those of `orders` that are asked here; the others are ignored. docs/formats/check.md has the values' shapes.
///   outside.tcp       {}                 doors that the record's "exposure" names, listening ones too
///   outside.tls       {name, port}       at the host's address, and where the name leads
///   outside.https     {name, path}       an answer's status and headers, at both
///   outside.redirect  {name}             what plain http answers
///   outside.health    {name, path}
///   outside.cached    {name, path}       the edge's cache status, asked twice
///   outside.chat, outside.stream  {name, path, model, key}   one short completion with the key of that secret
///   outside.kept      {name, path, model, key}   the same completion, and once more when it was answered
///   outside.limited   {name, path, key}          a cheap request twice: what it says of the user's limit
///   cloudflare.*      {domain}
Observations observe_outside(const std::vector<ProbeOrder>& orders, const HostRecord& record, const OutsideView& view);

}  // namespace sentinel
