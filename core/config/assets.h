// SPDX-License-Identifier: Apache-2.0
// Where shipped and own files are found: templates/, playbooks/ and docs/reference/. The project's own directory wins
// over a directory of files on disk (the source tree, /usr/share/sentinel), which wins over what is embedded in the
// program.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sentinel {

/// A file that cmake/embed.cmake put into the program.
struct EmbeddedFile {
  std::string_view name;  ///< "playbooks/roles/ssh.yaml"
  std::string_view bytes;
};

/// docs/reference/**, embedded in this library.
const std::vector<EmbeddedFile>& reference_files();

struct Asset {
  std::string shown_path;  ///< for diagnostics: relative to the project or the shipped tree
  std::string bytes;
};

class Assets {
 public:
  /// Directories in order of precedence; each may hold templates/, playbooks/, docs/reference/.
  explicit Assets(std::vector<std::string> directories, std::vector<EmbeddedFile> embedded = {});

  /// The file `name` ("templates/ssh/00-sentinel.conf"): nothing when nobody has it; an error when it can't be read or
  /// is larger than `limit`. Names that leave the directory (`..`, absolute) are the error `asset.outside`.
  Result<std::optional<Asset>> find(const std::string& name, std::size_t limit = 1U << 20) const;

  /// Names below `directory` ("playbooks/roles/"), sorted, without duplicates, `directory` itself stripped.
  std::vector<std::string> list(const std::string& directory) const;

  /// The same with one more directory in front of all others (a project's).
  Assets with_directory(const std::string& directory) const;

 private:
  std::vector<std::string> directories_;
  std::vector<EmbeddedFile> embedded_;
};

}  // namespace sentinel
