// SPDX-License-Identifier: Apache-2.0
// The programs that know whether a file is right: which one, for which path, as whom, and how to read its answer.
#pragma once

#include <optional>
#include <string>

#include "core/model/resource.h"
#include "core/system/reader.h"

namespace sentinel {

struct Validator {
  std::string program;  ///< absolute; a host without it can't validate (yet)
  CommandLine command;  ///< names real paths: it is run in the future tree
  std::string user;     ///< empty: root
};

/// Nothing for resources that no program of the host can judge.
std::optional<Validator> validator_of(const ResourceBody& body);

/// Fine, or `validate.failed` with what the program said. For units, complaints about others and about programs that
/// are not there yet don't count.
Result<void> judge(const ResourceBody& body, const CommandResult& result);

}  // namespace sentinel
