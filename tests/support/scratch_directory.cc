// SPDX-License-Identifier: Apache-2.0
// Links are removed, not followed, and other file systems are left alone.
#include "tests/support/scratch_directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

namespace sentinel {

ScratchDirectory::ScratchDirectory() {
  char pattern[] = "/tmp/sentinel-test-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) {
    ::perror("mkdtemp");
    ::abort();
  }
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  const auto remove_entry = [](const char* path, const struct stat*, int, FTW*) { return ::remove(path); };
  ::nftw(path_.c_str(), remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

}  // namespace sentinel
