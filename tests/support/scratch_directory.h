// SPDX-License-Identifier: Apache-2.0
// A directory of a test's own under /tmp, gone with everything in it at the end of its life. It can't be aimed elsewhere.
#pragma once

#include <string>

namespace sentinel {

class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sentinel
