// SPDX-License-Identifier: Apache-2.0
// Directories on disk first, then the embedded bytes; a missing directory is no error.
#include "core/config/assets.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/base/file.h"
#include "core/config/scalar_types.h"

namespace sentinel {

Assets::Assets(std::vector<std::string> directories, std::vector<EmbeddedFile> embedded)
    : directories_(std::move(directories)), embedded_(std::move(embedded)) {}

Assets Assets::with_directory(const std::string& directory) const {
  Assets out = *this;
  out.directories_.insert(out.directories_.begin(), directory);
  return out;
}

Result<std::optional<Asset>> Assets::find(const std::string& name, std::size_t limit) const {
  if (name.empty() || !is_absolute_path("/" + name)) {
    return Error("asset.outside", fmt::format("'{}' is not a path inside the project", name),
                 "write it without '..', relative to the project's directory", ExitCode::kUsage);
  }
  for (const auto& directory : directories_) {
    const std::string path = directory + "/" + name;

    struct stat info {};

    if (::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) continue;
    auto bytes = read_whole_file(path, limit);
    if (!bytes.ok()) {
      Error error = std::move(bytes).error();
      error.exit = ExitCode::kUsage;
      return error;
    }
    return std::optional<Asset>(Asset{name, std::move(bytes).value()});
  }
  for (const auto& file : embedded_) {
    if (file.name == name) return std::optional<Asset>(Asset{name, std::string(file.bytes)});
  }
  return std::optional<Asset>();
}

std::vector<std::string> Assets::list(const std::string& directory) const {
  std::set<std::string> names;
  for (const auto& root : directories_) {
    std::error_code failure;
    const std::filesystem::path base = root + "/" + directory;
    for (auto it = std::filesystem::recursive_directory_iterator(base, failure);
         !failure && it != std::filesystem::recursive_directory_iterator(); it.increment(failure)) {
      std::error_code ignored;
      if (it->is_regular_file(ignored)) names.insert(it->path().lexically_relative(base).string());
    }
  }
  for (const auto& file : embedded_) {
    if (file.name.starts_with(directory)) names.insert(std::string(file.name.substr(directory.size())));
  }
  return {names.begin(), names.end()};
}

}  // namespace sentinel
