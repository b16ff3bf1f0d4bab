// SPDX-License-Identifier: Apache-2.0
// Contents are compared by name: digest against digest, or HMAC against HMAC where a secret may be in it.
#include "core/resources/file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/resources/fill.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

constexpr const char* kNotShown = "(not shown)";

bool is_private(const File& want) {
  return want.format == FileFormat::kPlain && (want.mode & 0004) == 0;
}

bool is_sensitive(const File& want) {
  return want.content.holes || is_sensitive_name(want.content.digest) || is_private(want);
}

/// What the file should hold, as far as it can be told.
struct Wanted {
  std::string name;   ///< comparable with a state's; empty when it can't be told (missing bytes, a secret not made yet)
  std::string shown;  ///< for a change that isn't sensitive, or says why it can't be told
};

Result<Wanted> wanted_with_holes(const File& want, Look& look) {
  SENTINEL_TRY(const auto content, look.content(want.content));
  if (!content) return Wanted{"", "(secret content)"};
  const auto& secrets = look.surroundings().secret;
  if (const auto made_later = secrets_without_value(*content, secrets); !made_later.empty()) {
    return Wanted{"", fmt::format("(new secret {})", fmt::join(made_later, ", "))};
  }
  SENTINEL_TRY(const auto bytes, fill(*content, secrets));
  return Wanted{sensitive_name(look.surroundings().host_key, bytes.reveal()), "(secret content)"};
}

/// Brings two names of contents without holes to the same form.
bool same_name(const std::string& left, const std::string& right, Look& look) {
  const auto& key = look.surroundings().host_key;
  const auto sensitive = [&](const std::string& name) {
    return is_sensitive_name(name) ? name : sensitive_name_of_digest(key, name);
  };
  return left == right || (is_sensitive_name(left) != is_sensitive_name(right) && sensitive(left) == sensitive(right));
}

/// Adds the change of content, if there is one.
Result<bool> compare_content(const File& want, const PathState& now, Look& look, Step& step) {
  if (want.content.holes) {
    SENTINEL_TRY(const auto wanted, wanted_with_holes(want, look));
    if (!wanted.name.empty() && wanted.name == now.content) return false;
    step.changes.push_back({"content", now.type == "file" ? kNotShown : "", wanted.shown, true});
    return true;
  }
  if (now.type == "file" && same_name(want.content.digest, now.content, look)) return false;
  SENTINEL_TRY(const auto content, look.content(want.content));
  const bool sensitive = is_sensitive(want) || is_sensitive_name(now.content);
  if (sensitive) {
    step.changes.push_back({"content", now.type == "file" ? kNotShown : "", kNotShown, true});
    return true;
  }
  const auto* before = look.remembered_text(now.content);
  const auto unknown = [](const std::string& digest, std::uint64_t size) {
    return fmt::format("({} bytes, sha256 {})", size, digest);
  };
  step.changes.push_back({"content",
                          now.type != "file"  ? ""
                          : before != nullptr ? *before
                                              : unknown(now.content, now.size),
                          content ? shown(content->serialize()) : unknown(want.content.digest, want.content.size),
                          false});
  return true;
}

void compare_attributes(const File& want, const PathState& now, Step& step) {
  if (want.owner != now.owner) step.changes.push_back({"owner", now.owner, want.owner, false});
  if (want.group != now.group) step.changes.push_back({"group", now.group, want.group, false});
  if (want.mode != now.mode) step.changes.push_back({"mode", shown_mode(now.mode), shown_mode(want.mode), false});
}

Risk risk_of(const File& want) {
  if (want.format == FileFormat::kSudoers || want.format == FileFormat::kFail2ban) return Risk::kLockout;
  return risk_of_path(want.path);
}

Result<Step> finish(const File& want, Step step) {
  if (step.changes.empty()) return step;
  step.risk = risk_of(want);
  if (want.format == FileFormat::kSystemdUnit) step.effects.push_back({Effect::Kind::kDaemonReload, ""});
  return step;
}

}  // namespace

Result<PathState> observe(const File& want, Look& look) {
  return observe_path({want.path, want.owner, want.group, is_sensitive(want), want.format == FileFormat::kPlain}, look);
}

Result<Step> plan(const File& want, const PathState& now, Look& look) {
  Step step;
  if (now.type == "directory" || now.type == "other") {
    if (want.ensure == Ensure::kAbsent && now.type == "directory") return step;  // not a file: nothing of ours is there
    return Error("resource.not-a-file", fmt::format("{} is not a regular file but {}", want.path,
                                                    now.type == "other" ? "something special" : "a directory"));
  }
  if (want.ensure == Ensure::kAbsent) {
    if (!now.exists()) return step;
    step.changes.push_back({"file", shown(now), "absent", false});
    step.actions = {RemoveFile{want.path}};
    step.undo = undo_path(want.path, now);
    look.note_removal(want.path);
    return finish(want, std::move(step));
  }
  if (now.type != "file") {
    step.changes.push_back(
        {"file", shown(now), fmt::format("file {}:{} {}", want.owner, want.group, shown_mode(want.mode)), false});
  }
  SENTINEL_TRY(const bool rewrite, compare_content(want, now, look, step));
  if (now.type == "file") compare_attributes(want, now, step);
  if (rewrite) {
    step.actions = {WriteFile{want.path, want.content, want.owner, want.group, want.mode}};
    step.undo = undo_path(want.path, now);
  } else if (!step.changes.empty()) {
    step.actions = {SetAttributes{want.path, want.owner, want.group, want.mode}};
    step.undo = std::vector<Action>{SetAttributes{want.path, now.owner, now.group, now.mode}};
  }
  return finish(want, std::move(step));
}

std::optional<ResourceBody> restored(const File& managed, const PathState& then) {
  auto body = restored_path(managed.path, then, managed.format);
  // A removal owes what a change of such a file owes.
  if (body && std::holds_alternative<File>(*body)) std::get<File>(*body).format = managed.format;
  return body;
}

}  // namespace sentinel
