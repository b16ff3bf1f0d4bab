// SPDX-License-Identifier: Apache-2.0
// A guard that can't be started means "not done": its program may be installed by an earlier step.
#include "core/resources/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/quote.h"
#include "core/model/json_fields.h"
#include "core/resources/names.h"

namespace sentinel {
namespace {

std::string as_shell(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  for (const auto& word : argv) words.push_back(shell_quote(word));
  return fmt::format("{}", fmt::join(words, " "));
}

Result<void> check(const Command& want) {
  if (want.argv.empty() || want.argv.front().empty())
    return Error("resource.no-command", "a command without a program");
  if (want.creates.empty() && want.unless.empty() && !want.always) {
    return Error("resource.no-guard", fmt::format("command {} has no guard", as_shell(want.argv)),
                 "give it 'creates', 'unless' or 'always: true'");
  }
  return want.creates.empty() ? Result<void>() : check_path(want.creates);
}

}  // namespace

void to_json(nlohmann::json& json, const CommandState& value) {
  json = {{"done", value.done}};
}

void from_json(const nlohmann::json& json, CommandState& value) {
  json.at("done").get_to(value.done);
}

Result<CommandState> observe(const Command& want, Look& look) {
  SENTINEL_CHECK(check(want));
  CommandState state;
  if (want.always) return state;
  if (!want.creates.empty()) {
    SENTINEL_TRY(const auto status, look.machine().status(want.creates));
    state.done = status.type != FileType::kAbsent;
  }
  if (!state.done && !want.unless.empty()) {
    CommandLine guard;
    guard.argv = want.unless;
    SENTINEL_TRY(const auto result, look.machine().query(guard));
    state.done = result.status == 0;
  }
  return state;
}

Result<Step> plan(const Command& want, const CommandState& now) {
  Step step;
  if (now.done) return step;
  step.changes.push_back({"command", "", as_shell(want.argv), false});
  step.actions = {RunCommand{want.argv, want.timeout_seconds, false}};
  if (want.undo.empty()) {
    step.undo = Irreversible{fmt::format("'{}' has no undo", as_shell(want.argv))};
    step.risk = Risk::kIrreversible;
  } else {
    step.undo = std::vector<Action>{RunCommand{want.undo, want.timeout_seconds, false}};
  }
  return step;
}

std::optional<ResourceBody> restored(const Command&, const CommandState&) {
  return std::nullopt;
}

}  // namespace sentinel
