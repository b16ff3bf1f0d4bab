// SPDX-License-Identifier: Apache-2.0
// The text on disk never goes into a state or a change (an option may hold a command line): states have fingerprints.
#include "core/resources/authorized_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/model/json_fields.h"
#include "core/resources/accounts.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

constexpr std::uint32_t kFileMode = 0600;
constexpr std::uint32_t kDirectoryMode = 0700;

bool is_type(std::string_view word) {
  if (!word.starts_with("ssh-") && !word.starts_with("ecdsa-sha2-") && !word.starts_with("sk-")) return false;
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '@' || c == '.';
  });
}

/// The key's blob begins with its type as a string with a 32-bit length (RFC 4253, 6.6).
bool blob_has_type(const std::string& blob, std::string_view type) {
  const auto bytes = base64_decode(blob);
  if (!bytes || bytes->size() < 4 + type.size()) return false;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>((*bytes)[i]); };
  const std::size_t length =
      (std::size_t{at(0)} << 24) | (std::size_t{at(1)} << 16) | (std::size_t{at(2)} << 8) | at(3);
  return length == type.size() && bytes->compare(4, length, type) == 0;
}

/// Where a word ends; spaces inside double quotes belong to it, as sshd reads options.
std::size_t end_of_word(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '"') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == ' ' || text[i] == '\t')) {
      return i;
    }
  }
  return text.size();
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Names a line in a state: the fingerprint, and a trace of its options.
std::string mark(const AuthorizedKey& key, const Secret& host_key) {
  if (key.options.empty()) return key.fingerprint();
  return fmt::format("{} with options {}", key.fingerprint(), hmac_sha256_hex(host_key, key.options).substr(0, 16));
}

std::string shown(const AuthorizedKey& key) {
  return fmt::format("{} {}{}{}", key.type, key.fingerprint(), key.comment.empty() ? "" : " " + key.comment,
                     key.options.empty() ? "" : " (with options)");
}

Result<std::vector<AuthorizedKey>> wanted_keys(const AuthorizedKeys& want) {
  std::vector<AuthorizedKey> keys;
  for (const auto& line : want.keys) {
    SENTINEL_CHECK(check_line("an authorized key", line));
    auto key = parse_authorized_key(line);
    if (!key) {
      return Error("resource.bad-key", fmt::format("'{}' is not a line of authorized_keys", line.substr(0, 60)),
                   "it should look like 'ssh-ed25519 AAAAC3… name'");
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

/// What the file becomes.
struct Edit {
  std::vector<std::string> lines;
  std::vector<Change> changes;
};

Edit edit(const AuthorizedKeys& want, const std::vector<AuthorizedKey>& wanted, const std::string& text) {
  Edit edit;
  std::vector<bool> met(wanted.size(), false);
  for (auto& line : lines_of(text)) {
    const auto present = parse_authorized_key(line);
    if (!present) {
      if (!want.exclusive || trimmed(line).empty() || trimmed(line).starts_with('#'))
        edit.lines.push_back(std::move(line));
      continue;
    }
    const auto found =
        std::find_if(wanted.begin(), wanted.end(), [&](const auto& key) { return key.same_key(*present); });
    if (found == wanted.end()) {
      if (want.exclusive) {
        edit.changes.push_back({"key", shown(*present), "", false});
      } else {
        edit.lines.push_back(std::move(line));
      }
      continue;
    }
    const auto index = static_cast<std::size_t>(found - wanted.begin());
    if (met[index]) {
      edit.changes.push_back({"key", shown(*present) + " (twice)", shown(*found), false});
      continue;
    }
    met[index] = true;
    if (present->options == found->options) {
      edit.lines.push_back(std::move(line));
    } else {
      edit.changes.push_back({"key", shown(*present), shown(*found), false});
      edit.lines.push_back(want.keys[index]);
    }
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool repeated = std::any_of(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](const auto& earlier) { return earlier.same_key(wanted[i]); });
    if (met[i] || repeated) continue;
    edit.changes.push_back({"key", "", shown(wanted[i]), false});
    edit.lines.push_back(want.keys[i]);
  }
  return edit;
}

void compare_attributes(const char* what, const PathState& now, const std::string& user, const std::string& group,
                        std::uint32_t mode, std::vector<Change>& changes) {
  const auto name = [&](const char* attribute) { return std::string(what) + attribute; };
  if (now.owner != user) changes.push_back({name("owner"), now.owner, user, false});
  if (now.group != group) changes.push_back({name("group"), now.group, group, false});
  if (now.mode != mode) changes.push_back({name("mode"), shown_mode(now.mode), shown_mode(mode), false});
}

Result<void> check_places(const AuthorizedKeysState& now) {
  // Links are refused: the directory is the user's, and root writes here.
  if (now.directory.exists() && now.directory.type != "directory") {
    return Error("resource.not-a-directory",
                 fmt::format("{} is not a directory ({})", parent_directory(now.path), shown(now.directory)));
  }
  if (now.file.exists() && now.file.type != "file") {
    return Error("resource.not-a-file", fmt::format("{} is not a regular file ({})", now.path, shown(now.file)));
  }
  return {};
}

}  // namespace

SENTINEL_JSON_FIELDS(AuthorizedKeysState, user_exists, group, path, directory, file, keys)

std::string AuthorizedKey::fingerprint() const {
  const auto digest = sha256_hex(base64_decode(blob).value_or(""));
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digest.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digest.substr(i, 2), nullptr, 16));
  }
  auto text = base64_encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

std::optional<AuthorizedKey> parse_authorized_key(std::string_view line) {
  line = trimmed(line);
  if (line.empty() || line.front() == '#') return std::nullopt;
  AuthorizedKey key;
  auto end = end_of_word(line);
  if (!is_type(line.substr(0, end))) {
    key.options = line.substr(0, end);
    line = trimmed(line.substr(end));
    end = end_of_word(line);
  }
  key.type = line.substr(0, end);
  line = trimmed(line.substr(end));
  const auto blob_end = std::min(line.find_first_of(" \t"), line.size());
  key.blob = line.substr(0, blob_end);
  key.comment = trimmed(line.substr(blob_end));
  if (!is_type(key.type) || !blob_has_type(key.blob, key.type)) return std::nullopt;
  return key;
}

Result<AuthorizedKeysState> observe(const AuthorizedKeys& want, Look& look) {
  if (!is_account_name(want.user)) return Error("resource.bad-name", fmt::format("'{}' is not a user name", want.user));
  SENTINEL_TRY(const auto wanted, wanted_keys(want));
  SENTINEL_TRY(const auto* known, accounts(look));
  AuthorizedKeysState state;
  const auto* user = known->user(want.user);
  state.user_exists = user != nullptr;
  state.group = user == nullptr ? want.user : known->group_name(user->gid);
  const std::string home = user == nullptr ? "/home/" + want.user : user->home;
  const std::string directory = (home == "/" ? "" : home) + "/.ssh";
  state.path = directory + "/authorized_keys";
  SENTINEL_TRY(state.directory, observe_path({directory, want.user, state.group, false, true}, look));
  if (state.directory.type != "directory") return state;
  SENTINEL_TRY(state.file, observe_path({state.path, want.user, state.group, true, true}, look));
  if (state.file.type != "file") return state;
  SENTINEL_TRY(auto text, look.machine().read_file(state.path));
  for (const auto& line : lines_of(text)) {
    if (const auto key = parse_authorized_key(line)) state.keys.push_back(mark(*key, look.surroundings().host_key));
  }
  look.remember_text(state.file.content, std::move(text));
  return state;
}

Result<Step> plan(const AuthorizedKeys& want, const AuthorizedKeysState& now, Look& look) {
  SENTINEL_CHECK(check_places(now));
  SENTINEL_TRY(const auto wanted, wanted_keys(want));
  const std::string* text = look.remembered_text(now.file.content);
  if (now.file.exists() && text == nullptr) {
    return Error("resource.not-observed", fmt::format("{} was not looked at before planning", now.path));
  }
  auto [lines, changes] = edit(want, wanted, text != nullptr ? *text : "");
  Step step;
  std::vector<Action> undo;
  const auto directory = parent_directory(now.path);
  const auto edits = changes.size();
  const bool rewrite = edits > 0;
  if (!now.directory.exists() && rewrite) {
    step.actions.push_back(MakeDirectory{directory, want.user, now.group, kDirectoryMode});
    undo.push_back(RemoveDirectory{directory});
  } else if (now.directory.exists()) {
    compare_attributes("directory ", now.directory, want.user, now.group, kDirectoryMode, changes);
    if (changes.size() > edits) {
      step.actions.push_back(SetAttributes{directory, want.user, now.group, kDirectoryMode});
      undo.push_back(SetAttributes{directory, now.directory.owner, now.directory.group, now.directory.mode});
    }
  }
  const auto before = changes.size();
  if (now.file.exists()) compare_attributes("", now.file, want.user, now.group, kFileMode, changes);
  if (rewrite) {
    std::string whole;
    for (const auto& line : lines) whole += line + "\n";
    SENTINEL_TRY(const auto content, look.keep(whole));
    step.actions.push_back(WriteFile{now.path, content, want.user, now.group, kFileMode});
    const auto back = undo_path(now.path, now.file);
    undo.insert(undo.begin(), back.begin(), back.end());
  } else if (changes.size() > before) {
    step.actions.push_back(SetAttributes{now.path, want.user, now.group, kFileMode});
    undo.insert(undo.begin(), SetAttributes{now.path, now.file.owner, now.file.group, now.file.mode});
  }
  step.changes = std::move(changes);
  step.undo = std::move(undo);
  if (!step.changes.empty()) step.risk = Risk::kLockout;
  return step;
}

std::optional<ResourceBody> restored(const AuthorizedKeys&, const AuthorizedKeysState& then) {
  return restored_path(then.path, then.file, FileFormat::kPlain);
}

}  // namespace sentinel
