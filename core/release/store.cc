// SPDX-License-Identifier: Apache-2.0
#include "core/release/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/model/bundle.h"
#include "core/model/probe_headers.h"
#include "core/resources/fill.h"

namespace sentinel {

std::string stored_path(const ReleaseFile& file) {
  return file.content.holes ? std::string(kReleaseHoles) + "/" + file.path : file.path;
}

Result<std::string> read_image_part(Reader& machine, const std::string& app, const std::string& digest) {
  const auto path = ReleasePaths::image_parts(app) + "/" + digest;
  SENTINEL_TRY(auto bytes, machine.read_file(path));
  if (sha256_hex(bytes) == digest) return bytes;
  return Error("release.altered", path + " is not what its name says",
               "go to another release (sentinelctl releases), or deploy this version again");
}

Result<void> ReleaseStore::write(const std::string& path, std::string_view bytes, std::uint32_t mode) {
  SENTINEL_CHECK(host_.machine.make_directory(parent_directory(path), {0, 0, 0755}));
  return host_.machine.replace_file(path, bytes, {0, 0, static_cast<mode_t>(mode)});
}

Result<void> ReleaseStore::stage_bundle(const Release& release) {
  auto archive = host_.blobs.get(release.artefact.sha256);
  if (!archive.ok()) return std::move(archive).error().during("looking for the artefact");
  SENTINEL_TRY(const auto bundle, read_bundle(*archive));
  if (bundle.artefact != release.artefact) {
    return Error("release.artefact", "the artefact is another one than the order names");
  }
  for (const auto& file : release.files) {
    if (bundle.find(stored_path(file)) == nullptr) continue;
    return Error("release.file", fmt::format("the bundle has a file {} of its own", stored_path(file)));
  }
  const auto root = ReleasePaths{release.app, release.id}.directory();
  for (const auto& file : bundle.files) SENTINEL_CHECK(write(root + "/" + file.name, file.bytes, file.mode));
  return {};
}

Result<void> ReleaseStore::stage_image(const Release& release) {
  for (const auto& part : release.artefact.parts) {
    if (read_image_part(host_.machine, release.app, part.digest).ok()) continue;
    auto bytes = host_.blobs.get(part.digest);
    if (!bytes.ok()) return std::move(bytes).error().during("looking for a part of the image");
    SENTINEL_CHECK(write(ReleasePaths::image_parts(release.app) + "/" + part.digest, *bytes, 0644));
  }
  return {};
}

Result<std::string> ReleaseStore::stage(const Release& release) {
  const ReleasePaths paths{release.app, release.id};
  SENTINEL_CHECK(remove(paths));
  const bool bundle = release.artefact.kind == Artefact::Kind::kBundle;
  SENTINEL_CHECK(bundle ? stage_bundle(release) : stage_image(release));
  for (const auto& file : release.files) {
    SENTINEL_TRY(const auto bytes, host_.blobs.get(file.content.digest));
    SENTINEL_CHECK(write(paths.directory() + "/" + stored_path(file), bytes, file.mode));
  }
  return tree_digest(paths);
}

Result<void> ReleaseStore::list_tree(const std::string& root, const std::string& below,
                                     std::vector<std::string>& lines) {
  SENTINEL_TRY(const auto names, host_.machine.list(root + below));
  for (const auto& name : names) {
    const auto path = below + "/" + name;
    SENTINEL_TRY(const auto status, host_.machine.status(root + path));
    std::string type = "other";
    std::string digest = "-";
    if (status.type == FileType::kRegular) {
      SENTINEL_TRY(const auto bytes, host_.machine.read_file(root + path));
      type = "file";
      digest = sha256_hex(bytes);
    } else if (status.type == FileType::kDirectory) {
      type = "directory";
      SENTINEL_CHECK(list_tree(root, path, lines));
    }
    lines.push_back(fmt::format("{} {} {:04o} {}:{} {}\n", path, type, status.mode, status.uid, status.gid, digest));
  }
  return {};
}

Result<std::string> ReleaseStore::tree_digest(const ReleasePaths& paths) {
  std::vector<std::string> lines;
  SENTINEL_CHECK(list_tree(paths.directory(), "", lines));
  std::sort(lines.begin(), lines.end());
  Sha256 sum;
  for (const auto& line : lines) sum.update(line);
  return sum.finish_hex();
}

Result<void> ReleaseStore::verify(const Release& release) {
  const ReleasePaths paths{release.app, release.id};
  for (const auto& part : release.artefact.parts) {
    SENTINEL_CHECK(read_image_part(host_.machine, release.app, part.digest));
  }
  SENTINEL_TRY(const auto now, tree_digest(paths));
  if (now == release.tree_digest) return {};
  return Error("release.altered",
               fmt::format("{} is not what was recorded of release {}", paths.directory(), release.id),
               "go to another release (sentinelctl releases), or deploy this version again");
}

Result<Content> ReleaseStore::content(const Release& release, const std::string& path) {
  const auto file = std::find_if(release.files.begin(), release.files.end(),
                                 [&](const ReleaseFile& one) { return one.path == path; });
  if (file == release.files.end()) {
    return Error("release.file", fmt::format("release {} has no file {}", release.id, path));
  }
  const ReleasePaths paths{release.app, release.id};
  SENTINEL_TRY(const auto bytes, host_.machine.read_file(paths.directory() + "/" + stored_path(*file)));
  return Content::parse(bytes, file->content.holes);
}

Result<void> ReleaseStore::fill_private(const Release& release, SecretView& secrets) {
  const ReleasePaths paths{release.app, release.id};
  std::set<std::string> made;  // each is synced when it is made, and that takes time
  for (const auto& file : release.files) {
    if (!file.content.holes) continue;
    SENTINEL_TRY(const auto rendered, content(release, file.path));
    SENTINEL_TRY(const auto filled, fill(rendered, [&](const std::string& name) { return secrets.find(name); }));
    const auto path = paths.installed(file);
    for (const auto& directory : {parent_directory(parent_directory(paths.private_directory())),
                                  parent_directory(paths.private_directory()), parent_directory(path)}) {
      if (made.insert(directory).second) SENTINEL_CHECK(host_.machine.make_directory(directory, {0, 0, 0700}));
    }
    SENTINEL_CHECK(host_.machine.replace_file(path, filled.reveal(), {0, 0, 0400}));
  }
  return {};
}

Result<void> ReleaseStore::give_headers(Release& release) {
  const auto file = std::find_if(release.files.begin(), release.files.end(),
                                 [](const ReleaseFile& one) { return one.path == kReleaseHeaders; });
  if (file == release.files.end()) return {};
  SENTINEL_TRY(const auto text, host_.machine.read_file(ReleasePaths{release.app, release.id}.installed(*file)));
  return give_probe_headers(release.policy.health, text);
}

Result<void> ReleaseStore::remove_tree(const std::string& path) {
  SENTINEL_TRY(const auto status, host_.machine.status(path));
  if (status.type == FileType::kAbsent) return {};
  if (status.type != FileType::kDirectory) return host_.machine.remove_file(path);
  SENTINEL_TRY(const auto names, host_.machine.list(path));
  for (const auto& name : names) SENTINEL_CHECK(remove_tree(path + "/" + name));
  return host_.machine.remove_directory(path);
}

Result<void> ReleaseStore::remove(const ReleasePaths& paths) {
  // What decides over a path that is removed as a whole is never a peer's word alone.
  if (!is_release_id(paths.id) || !is_release_id(paths.app)) {
    return Error("release.bad-id", fmt::format("'{}' can't name a release of '{}'", paths.id, paths.app));
  }
  SENTINEL_CHECK(remove_tree(paths.private_directory()));
  return remove_tree(paths.directory());
}

Result<void> ReleaseStore::keep_image_parts(const AppReleases& app) {
  std::set<std::string> used;
  for (const auto& record : app.releases) {
    for (const auto& part : record.release.artefact.parts) used.insert(part.digest);
  }
  const auto directory = ReleasePaths::image_parts(app.app);
  SENTINEL_TRY(const auto names, host_.machine.list(directory));
  for (const auto& name : names) {
    if (used.count(name) == 0) SENTINEL_CHECK(host_.machine.remove_file(directory + "/" + name));
  }
  return {};
}

Result<std::vector<std::string>> ReleaseStore::directories(const std::string& app) {
  return host_.machine.list(ReleasePaths::home(app) + "/releases");
}

}  // namespace sentinel
