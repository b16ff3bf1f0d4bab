// SPDX-License-Identifier: Apache-2.0
// Both files are planned as the files they are; refreshing apt's lists is part of installing packages, which looks
// whether a source is newer than the lists.
#include "core/resources/apt_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/model/json_fields.h"
#include "core/resources/file.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

constexpr const char* kKeyrings = "/etc/apt/keyrings";

std::string key_path(const AptSource& want) {
  return fmt::format("{}/{}.asc", kKeyrings, want.name);
}

std::string list_path(const AptSource& want) {
  return fmt::format("/etc/apt/sources.list.d/{}.list", want.name);
}

File key_file(const AptSource& want) {
  return {key_path(want), want.key, "root", "root", 0644, want.ensure, FileFormat::kPlain};
}

File list_file(const AptSource& want, const ContentRef& text) {
  return {list_path(want), text, "root", "root", 0644, want.ensure, FileFormat::kPlain};
}

Result<void> check(const AptSource& want) {
  const bool good_name =
      !want.name.empty() && want.name.size() <= 64 && std::all_of(want.name.begin(), want.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (!good_name) {
    return Error("apt.bad-name", fmt::format("'{}' can't name an apt source", want.name),
                 "lower-case letters, digits, '-' and '_' are allowed");
  }
  if (want.ensure == Ensure::kAbsent) return {};
  SENTINEL_CHECK(check_line("an apt source", want.line));
  if (want.line.rfind("deb ", 0) != 0)
    return Error("apt.bad-line", fmt::format("an apt source starts with 'deb ', this one says: {}", want.line));
  if (want.line.find(fmt::format("signed-by={}", key_path(want))) == std::string::npos) {
    return Error("apt.not-signed-by", fmt::format("apt source '{}' doesn't say which key signs it", want.name),
                 fmt::format("write: deb [signed-by={}] …", key_path(want)));
  }
  if (want.key.digest.empty()) return Error("apt.no-key", fmt::format("apt source '{}' has no key", want.name));
  return {};
}

/// The single line of a list that an AptSource could say again.
std::string line_of(const std::string& text) {
  if (text.empty() || text.back() != '\n') return "";
  const std::string line = text.substr(0, text.size() - 1);
  const bool plain =
      line.rfind("deb ", 0) == 0 && line.find('\n') == std::string::npos && line.find('@') == std::string::npos;
  return plain ? line : "";
}

void take_over(const Step& part, const char* what, Step& step, std::vector<Action>& undo) {
  for (auto change : part.changes) {
    change.attribute = fmt::format("{} {}", what, change.attribute);
    step.changes.push_back(std::move(change));
  }
  step.actions.insert(step.actions.end(), part.actions.begin(), part.actions.end());
  if (const auto* actions = std::get_if<std::vector<Action>>(&part.undo)) {
    undo.insert(undo.begin(), actions->begin(), actions->end());
  }
}

}  // namespace

SENTINEL_JSON_FIELDS(AptSourceState, has_directory, key, list, line)

Result<AptSourceState> observe(const AptSource& want, Look& look) {
  SENTINEL_CHECK(check(want));
  AptSourceState out;
  SENTINEL_TRY(const auto directory, look.machine().status(kKeyrings));
  out.has_directory = directory.type == FileType::kDirectory;
  SENTINEL_TRY(out.key, observe(key_file(want), look));
  SENTINEL_TRY(out.list, observe(list_file(want, {}), look));
  if (const auto* text = look.remembered_text(out.list.content)) out.line = line_of(*text);
  return out;
}

Result<Step> plan(const AptSource& want, const AptSourceState& now, Look& look) {
  ContentRef text;
  if (want.ensure == Ensure::kPresent) {
    SENTINEL_TRY(text, look.keep(want.line + "\n"));
  }
  Step step;
  std::vector<Action> undo;
  if (want.ensure == Ensure::kPresent && !now.has_directory) {
    step.actions.push_back(MakeDirectory{kKeyrings});
    undo.push_back(RemoveDirectory{kKeyrings});
  }
  SENTINEL_TRY(const auto key, plan(key_file(want), now.key, look));
  take_over(key, "key", step, undo);
  SENTINEL_TRY(const auto list, plan(list_file(want, text), now.list, look));
  take_over(list, "list", step, undo);
  if (step.changes.empty()) return Step{};
  step.undo = std::move(undo);
  return step;
}

std::optional<ResourceBody> restored(const AptSource& managed, const AptSourceState& then) {
  AptSource back = managed;
  const bool can_be_said = !then.line.empty() && then.key.type == "file" && !is_sensitive_name(then.key.content);
  if (can_be_said) {
    back.ensure = Ensure::kPresent;
    back.line = then.line;
    back.key = {then.key.content, false, then.key.size};
  } else {
    back.ensure = Ensure::kAbsent;
  }
  return back;
}

}  // namespace sentinel
