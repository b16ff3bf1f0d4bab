// SPDX-License-Identifier: Apache-2.0
#include "core/engine/state_directory.h"

#include "core/model/transaction_id.h"

namespace sentinel {

Result<void> StateDirectory::prepare(System& machine) const {
  constexpr FileAttributes kPrivate{0, 0, 0700};
  for (const auto& path : {root, blobs(), journals(), secrets(), generations()}) {
    SENTINEL_TRY(const auto now, machine.status(path));
    if (now.type == FileType::kDirectory && now.mode == kPrivate.mode && now.uid == 0 && now.gid == 0) continue;
    SENTINEL_CHECK(machine.make_directory(path, kPrivate));
  }
  return {};
}

Result<std::vector<std::string>> transactions(const StateDirectory& directory, Reader& machine) {
  SENTINEL_TRY(auto names, machine.list(directory.journals()));
  std::erase_if(names, [](const std::string& name) { return !is_transaction_id(name); });
  return names;
}

}  // namespace sentinel
