// SPDX-License-Identifier: Apache-2.0
// Findings and evidence made up for the tests of this folder.
#pragma once

#include "core/audit/bundle.h"
#include "core/model/audit.h"

namespace sentinel {

inline Control control_of(const std::string& id, const std::string& section = "Access") {
  Control out;
  out.id = id;
  out.title = "title of " + id;
  out.section = section;
  out.judgement = "ssh-keys-only";
  return out;
}

inline Finding finding_of(const std::string& id, Verdict verdict, const std::string& section = "Access") {
  Finding out;
  out.control = control_of(id, section);
  out.verdict = verdict;
  return out;
}

inline Observation observation_of(const std::string& probe, nlohmann::json value) {
  return {probe, "sshd -T", std::move(value), std::nullopt, 1234};
}

}  // namespace sentinel
