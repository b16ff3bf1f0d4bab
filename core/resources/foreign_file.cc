// SPDX-License-Identifier: Apache-2.0
// Texts are remembered by a key of their own: states may name a private file's content by HMAC.
#include "core/resources/foreign_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace sentinel {
namespace {

std::string key_of(const std::string& path, const PathState& state) {
  return "foreign " + path + " " + state.content;
}

}  // namespace

Result<PathState> observe_foreign(const std::string& path, Look& look) {
  SENTINEL_TRY(auto state, observe_path({path, "root", "root", false, true}, look));
  if (state.type == "file") {
    SENTINEL_TRY(auto text, look.machine().read_file(path));
    look.remember_text(key_of(path, state), std::move(text));
  }
  return state;
}

Result<void> edit_foreign(const ForeignEdit& edit, const PathState& now, Look& look, Step& step,
                          std::vector<Action>& undo) {
  if (now.exists() && now.type != "file") {
    return Error("resource.not-a-file", fmt::format("{} is not a regular file ({})", edit.path, shown(now)));
  }
  std::string text;
  if (now.exists()) {
    const std::string* known = look.remembered_text(key_of(edit.path, now));
    if (known == nullptr) {
      return Error("resource.not-observed", fmt::format("{} was not looked at before planning", edit.path));
    }
    text = *known;
  }
  SENTINEL_TRY(const auto content, look.keep(edit.head + comment_out(text, edit.lines, edit.why)));
  WriteFile write{edit.path, content, "root", "root", 0644};
  if (now.exists()) {
    write.owner = now.owner;
    write.group = now.group;
    write.mode = now.mode;
  }
  step.actions.push_back(std::move(write));
  const auto back = undo_path(edit.path, now);
  undo.insert(undo.end(), back.begin(), back.end());
  return {};
}

std::string comment_out(const std::string& text, const std::vector<int>& lines, const std::string& why) {
  std::string out;
  int number = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (std::find(lines.begin(), lines.end(), ++number) != lines.end()) out += fmt::format("# {}: ", why);
    out += text.substr(at, end - at);
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

}  // namespace sentinel
