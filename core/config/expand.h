// SPDX-License-Identifier: Apache-2.0
// Playbook + variables + facts of one host -> the resources it should have, in order, with the contents they refer to.
// Pure: no network, no secret values (contents have holes), the same answer for the same input.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/config/playbook.h"
#include "core/config/project.h"
#include "core/model/facts.h"
#include "core/model/request.h"

namespace sentinel {

/// A file as `sentinelctl render` writes it: secrets as `[secret NAME]`.
struct RenderedFile {
  std::string resource;  ///< id of the resource it belongs to
  std::string path;      ///< on the host
  std::string owner;
  std::string group;
  std::uint32_t mode = 0644;
  std::string text;
};

struct Expansion {
  /// Resources and the secrets they use, host and project; the caller fills in purpose, operator and timeouts.
  Request request;
  std::map<std::string, std::string> contents;  ///< digest -> serialized bytes, as ContentRef names them
  std::vector<RenderedFile> files;
  Value variables;  ///< the merged tree, resolved
};

struct ExpandOptions {
  std::vector<std::string> tags;  ///< only items with one of these tags (or whose role has); empty: all
};

/// What `validate` and `render` assume without a host: a Debian 12 machine.
Facts default_facts();
/// The same for one host of a project, whose variable `facts` may say otherwise ({facts: {os_version: "11"}}).
std::optional<Facts> assumed_facts(const Project& project, const Host& host, Diagnostics& diagnostics);

/// Nothing when anything is wrong; every error says "while: ... for host NAME".
std::optional<Expansion> expand(const Project& project, const Playbook& playbook, const Host& host, const Facts& facts,
                                const Assets& assets, const ExpandOptions& options, Diagnostics& diagnostics);

/// The same without a host to ask: with the facts assumed for it.
std::optional<Expansion> expand_offline(const Project& project, const Playbook& playbook, const Host& host,
                                        const Assets& assets, Diagnostics& diagnostics);

/// What only the whole fleet shows: generated secrets used on several hosts are a warning (each host makes its own
/// value).
void check_fleet(const Project& project, const std::vector<Expansion>& expansions, Diagnostics& diagnostics);

}  // namespace sentinel
