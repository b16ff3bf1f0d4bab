// SPDX-License-Identifier: Apache-2.0
// Release directories: unpacked from the archive, read back after they were written, never changed afterwards. They
// hold everything a release needs but the values of secrets, so that going back needs neither network nor blobs.
#pragma once

#include <functional>
#include <string>

#include "core/engine/host_state.h"
#include "core/model/release.h"

namespace sentinel {

class ReleaseStore {
 public:
  explicit ReleaseStore(HostState& host) : host_(host) {}

  /// Writes the release's directory from blobs (the archive, the rendered files) and returns the digest of what was
  /// read back. A directory that is there already is a leftover and goes first. Errors `release.artefact`,
  /// `release.file`.
  Result<std::string> stage(const Release& release);
  /// The digest of a release directory as it is now: SHA-256 over sorted lines of type, mode, path and SHA-256.
  Result<std::string> tree_digest(const ReleasePaths& paths);
  /// Error `release.altered` when the directory, or a part of its image, is not what was recorded.
  Result<void> verify(const Release& release);
  /// The text of one of its files as rendered; a hole in it stays a hole.
  Result<Content> content(const Release& release, const std::string& path);
  /// Fills every file that has holes with today's secrets, into the private directory (0400 root).
  Result<void> fill_private(const Release& release, SecretView& secrets);
  /// Gives the probes of its policy the headers that the release has for them; after fill_private(). Error
  /// `release.headers`.
  Result<void> give_headers(Release& release);
  /// Removes directory and private directory; fine when they are gone.
  Result<void> remove(const ReleasePaths& paths);
  /// Removes the parts of images that none of these releases has.
  Result<void> keep_image_parts(const AppReleases& app);
  /// Ids that have a directory.
  Result<std::vector<std::string>> directories(const std::string& app);

 private:
  Result<void> stage_bundle(const Release& release);
  Result<void> stage_image(const Release& release);
  Result<void> write(const std::string& path, std::string_view bytes, std::uint32_t mode);
  Result<void> list_tree(const std::string& root, const std::string& below, std::vector<std::string>& lines);
  Result<void> remove_tree(const std::string& path);

  HostState& host_;
};

/// The bytes of a part of an image. Error `release.altered` when they are not what its name says.
Result<std::string> read_image_part(Reader& machine, const std::string& app, const std::string& digest);

/// Where a file stands below the release's directory.
std::string stored_path(const ReleaseFile& file);

}  // namespace sentinel
