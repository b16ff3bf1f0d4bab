// SPDX-License-Identifier: Apache-2.0
// A value is read, trimmed of one newline and looked at once; it is in no message.
#include "core/config/secret_source.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "core/base/file.h"
#include "core/config/command_output.h"

namespace sentinel {
namespace {

constexpr std::size_t kLargestSecret = 64U << 10;

std::string absolute(const Project& project, const std::string& path) {
  return path.starts_with('/') ? path : project.directory + "/" + path;
}

Result<Secret> from_environment(const SecretSource& source) {
  const char* value = ::getenv(source.variable.c_str());
  if (value == nullptr) {
    return Error("secret.missing", fmt::format("the environment variable {} is not set", source.variable),
                 "set it before you run sentinelctl");
  }
  return Secret(value);
}

Result<Secret> from_file(const Project& project, const SecretSource& source, Diagnostics& diagnostics) {
  const std::string path = absolute(project, source.path);
  auto bytes = read_whole_file(path, kLargestSecret);
  if (!bytes.ok()) {
    return Error("secret.unreadable",
                 fmt::format("the file of the secret '{}' can't be read: {}", source.name, bytes.error().message));
  }

  struct stat info {};

  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 0004) != 0) {
    diagnostics.warn(Error("secret.world-readable", fmt::format("everyone on this machine can read {}", source.path),
                           fmt::format("chmod 600 {}", source.path))
                         .at(source.position));
  }
  return Secret(std::move(bytes).value());
}

Secret without_newline(const Secret& value) {
  std::string text = value.reveal();
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

Result<Secret> value_of(const Project& project, const SecretSource& source, Diagnostics& diagnostics) {
  switch (source.kind) {
    case SecretSource::Kind::kEnvironment: return from_environment(source);
    case SecretSource::Kind::kFile: {
      SENTINEL_TRY(const Secret value, from_file(project, source, diagnostics));
      return without_newline(value);
    }
    case SecretSource::Kind::kCommand: {
      SENTINEL_TRY(const Secret value, command_output(source.argv, project.directory));
      return without_newline(value);
    }
    case SecretSource::Kind::kGenerate: break;
  }
  return Secret();
}

Result<Secret> checked_value(const Project& project, const SecretSource& source, Diagnostics& diagnostics) {
  SENTINEL_TRY(Secret value, value_of(project, source, diagnostics));
  if (value.empty()) return Error("secret.empty", fmt::format("the secret '{}' is empty", source.name));
  const std::string reason = placeholder_reason(value.reveal());
  if (!reason.empty()) {
    return Error("secret.placeholder", fmt::format("the secret '{}' holds a placeholder: it {}", source.name, reason),
                 "put the real value there");
  }
  return value;
}

}  // namespace

std::string placeholder_reason(const std::string& value) {
  std::string lower = value;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 6> kWords{"changeme",  "change_me",  "change-me",
                                                   "replaceme", "replace_me", "todo"};
  for (const auto word : kWords) {
    if (lower == word || lower.find(word) == 0) return fmt::format("begins with '{}'", word);
  }
  for (const std::string_view prefix : {"your-", "your_", "sk-your", "<"}) {
    if (lower.starts_with(prefix) && (prefix != "<" || lower.ends_with('>')))
      return fmt::format("begins with '{}'", prefix);
  }
  if (value.starts_with("$(") || value.starts_with("${")) return "is a shell expression that nobody evaluated";
  return {};
}

SecretValues resolve_secrets(const Project& project, const std::vector<std::string>& names, Diagnostics& diagnostics) {
  SecretValues out;
  for (const auto& name : names) {
    const SecretSource* source = project.find_secret(name);
    if (source == nullptr) {
      diagnostics.add(Error("secret.unknown", fmt::format("the project has no secret '{}'", name)));
      continue;
    }
    if (source->kind == SecretSource::Kind::kGenerate || out.contains(name)) continue;
    auto value = checked_value(project, *source, diagnostics);
    if (value.ok()) {
      out.emplace(name, std::move(value).value());
      continue;
    }
    Error error = std::move(value).error();
    if (!error.position) error.position = source->position;
    diagnostics.add(std::move(error).during(fmt::format("reading the secret {}", name)));
  }
  return out;
}

}  // namespace sentinel
