// SPDX-License-Identifier: Apache-2.0
// Kind `sshd`: a drop-in that is really in force. Lines elsewhere that win over it (an earlier file, a Match block, a
// further Port) are part of the state, and are turned into comments; the running daemon has to have read all of it; and
// where ssh.socket owns the port, the socket follows.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/model/plan.h"
#include "core/resources/look.h"
#include "core/resources/path_state.h"

namespace sentinel {

/// A line that makes a wanted value ineffective.
struct SshdOverride {
  std::string keyword;
  std::string value;
  std::string file;
  int line = 0;
  std::string match;  ///< of its Match block

  bool operator==(const SshdOverride&) const = default;
};

/// ssh.socket, when it is enabled.
struct SshdSocket {
  bool enabled = false;
  std::string listen;      ///< as systemd shows it
  PathState drop_in;       ///< ours, that sets the port
  bool generated = false;  ///< a generator takes the port from sshd's configuration (Ubuntu)

  bool operator==(const SshdSocket&) const = default;
};

struct SshdStaleness {
  std::string changed_path;  ///< changed after the running daemon last read its configuration; empty: none

  bool operator==(const SshdStaleness&) const = default;
};

struct SshdState {
  PathState file;
  bool installed = false;
  bool included = false;                         ///< the main file includes the drop-in (or would, when it is there)
  std::string unit;                              ///< ssh.service, sshd.service
  std::string problem;                           ///< why sshd refuses its configuration
  std::map<std::string, std::string> effective;  ///< of the wanted keywords
  std::vector<SshdOverride> overrides;
  std::map<std::string, PathState> others;  ///< files that would be edited
  SshdSocket socket;
  SshdStaleness stale;

  bool operator==(const SshdState&) const = default;
};

void to_json(nlohmann::json& json, const SshdState& value);
void from_json(const nlohmann::json& json, SshdState& value);

Result<SshdState> observe(const SshdConfig& want, Look& look);
Result<Step> plan(const SshdConfig& want, const SshdState& now, Look& look);
/// The drop-in and the values that were in force (and so the port of ssh.socket); lines of other files that were turned
/// into comments stay so. Without a content the drop-in is to be absent.
std::optional<ResourceBody> restored(const SshdConfig& managed, const SshdState& then);

}  // namespace sentinel
