// SPDX-License-Identifier: Apache-2.0
#include "core/engine/leftovers.h"

#include "core/base/file.h"
#include "core/base/temporary_name.h"
#include "core/engine/staging.h"

namespace sentinel {
namespace {

void remove_temporaries(const std::string& directory, const std::string& name, System& machine) {
  const auto entries = machine.list(directory);
  if (!entries.ok()) return;
  for (const auto& entry : *entries) {
    if (is_temporary_name(entry, name)) (void)machine.remove_file(directory + "/" + entry);
  }
}

struct TargetOf {
  std::string operator()(const WriteFile& action) const { return action.path; }

  std::string operator()(const RemoveFile& action) const { return action.path; }

  std::string operator()(const MakeLink& action) const { return action.path; }

  template <typename T>
  std::string operator()(const T&) const {
    return {};
  }
};

}  // namespace

void remove_own_leftovers(HostState& host) {
  (void)remove_staged(host);
  const auto& directory = host.directory;
  std::vector<std::string> places{directory.root, directory.blobs(), directory.secrets(), directory.generations()};
  if (const auto ids = transactions(directory, host.machine); ids.ok()) {
    for (const auto& id : *ids) places.push_back(directory.journal(id));
  }
  for (const auto& place : places) remove_temporaries(place, "", host.machine);
}

void remove_leftovers_of(const std::vector<journal::Intent>& intents, System& machine) {
  for (const auto& intent : intents) {
    for (const auto& action : intent.undo) {
      const auto path = std::visit(TargetOf{}, action);
      if (path.empty()) continue;
      const auto directory = parent_directory(path);
      remove_temporaries(directory == "/" ? "" : directory, path.substr(path.find_last_of('/') + 1), machine);
    }
  }
}

}  // namespace sentinel
