// SPDX-License-Identifier: Apache-2.0
// Three places have to agree: the file, the kernel, and whatever else is read at boot after the file.
#include "core/resources/sysctl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/base/digest.h"
#include "core/model/json_fields.h"
#include "core/resources/file.h"
#include "core/resources/foreign_file.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

bool is_key(const std::string& key) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), allowed) && key.find("..") == std::string::npos &&
         !key.starts_with('.') && !key.ends_with('.') && key.find('.') != std::string::npos;
}

std::string kernel_path(std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return "/proc/sys/" + key;
}

Result<void> check(const Sysctl& want) {
  for (const auto& [key, value] : want.values) {
    if (!is_key(key))
      return Error("resource.bad-sysctl", fmt::format("'{}' is not the name of a kernel parameter", key));
    SENTINEL_CHECK(check_line("the value of " + key, value));
    if (folded(value).empty())
      return Error("resource.bad-sysctl", fmt::format("kernel parameter {} has no value", key));
  }
  return {};
}

File as_file(const Sysctl& want, ContentRef content) {
  return File{want.path, std::move(content), "root", "root", 0644, want.ensure, FileFormat::kPlain};
}

Result<void> plan_later_lines(const Sysctl& want, const SysctlState& now, Look& look, Step& step,
                              std::vector<Action>& undo) {
  for (const auto& line : now.later) {
    step.changes.push_back({line.key + " (at boot)", fmt::format("{} ({}:{})", line.value, line.file, line.line),
                            folded(want.values.at(line.key)), false});
  }
  for (const auto& [path, other] : now.others) {
    ForeignEdit edit{path, {}, "Sentinel: " + want.path + " says otherwise", ""};
    for (const auto& line : now.later) {
      if (line.file == path) edit.lines.push_back(line.line);
    }
    SENTINEL_CHECK(edit_foreign(edit, other, look, step, undo));
  }
  return {};
}

}  // namespace

SENTINEL_JSON_FIELDS(SysctlLine, key, value, file, line)
SENTINEL_JSON_FIELDS(SysctlState, file, running, later, others)

std::string sysctl_file(const std::map<std::string, std::string>& values) {
  std::string text = "# Managed by Sentinel: changes made here are found and put back.\n";
  for (const auto& [key, value] : values) text += fmt::format("{} = {}\n", key, folded(value));
  return text;
}

Result<SysctlState> observe(const Sysctl& want, Look& look) {
  SENTINEL_CHECK(check(want));
  SysctlState state;
  SENTINEL_TRY(state.file, observe(as_file(want, {}), look));
  for (const auto& [key, value] : want.values) {
    auto running = look.machine().read_file(kernel_path(key));
    if (running.ok()) {
      state.running[key] = folded(*running);
    } else if (running.error().code != "system.ENOENT") {
      return std::move(running).error();
    }
  }
  if (want.ensure == Ensure::kAbsent) return state;
  SENTINEL_TRY(state.later, later_lines(want.path, want.values, look.machine()));
  for (const auto& line : state.later) {
    SENTINEL_TRY(state.others[line.file], observe_foreign(line.file, look));
  }
  return state;
}

Result<Step> plan(const Sysctl& want, const SysctlState& now, Look& look) {
  ContentRef content;
  if (want.ensure == Ensure::kPresent) {
    const auto text = sysctl_file(want.values);
    content = reference_to(Content(text));
    if (content.digest != now.file.content) {
      SENTINEL_TRY(content, look.keep(text));
    }
  }
  SENTINEL_TRY(auto step, plan(as_file(want, content), now.file, look));
  std::vector<Action> undo = std::get<std::vector<Action>>(step.undo);
  for (const auto& [key, value] : want.values) {
    const auto running = now.running.find(key);
    if (running == now.running.end() || running->second == folded(value)) continue;
    step.changes.push_back({key + " (running)", running->second, folded(value), false});
    step.actions.push_back(SetKernelParameter{key, folded(value)});
    undo.push_back(SetKernelParameter{key, running->second});
  }
  SENTINEL_CHECK(plan_later_lines(want, now, look, step, undo));
  step.undo = std::move(undo);
  return step;
}

std::optional<ResourceBody> restored(const Sysctl& managed, const SysctlState& then) {
  if (!then.file.exists()) return Sysctl{managed.path, then.running, Ensure::kAbsent};
  // A file that isn't of our making can only come back as what it was.
  for (const auto& values : {managed.values, then.running}) {
    if (sha256_hex(sysctl_file(values)) == then.file.content) return Sysctl{managed.path, values, Ensure::kPresent};
  }
  return restored_path(managed.path, then.file, FileFormat::kPlain);
}

}  // namespace sentinel
