// SPDX-License-Identifier: Apache-2.0
#include "core/engine/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/digest.h"
#include "core/resources/accounts.h"
#include "core/resources/fill.h"
#include "core/resources/firewall_snapshot.h"

namespace sentinel {
namespace {

std::string kernel_path(std::string key) {
  // As sysctl(8) has it: a dot inside an interface's name is written as a slash.
  for (char& c : key) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return "/proc/sys/" + key;
}

Packages packages_of(const Executor::Surroundings& around) {
  return Packages(
      {around.host.machine, around.clock, around.events, around.lock_probe, around.interrupted, around.lock_patience});
}

}  // namespace

bool is_file_action(const Action& action) {
  return std::holds_alternative<WriteFile>(action) || std::holds_alternative<RemoveFile>(action) ||
         std::holds_alternative<MakeDirectory>(action) || std::holds_alternative<RemoveDirectory>(action) ||
         std::holds_alternative<MakeLink>(action) || std::holds_alternative<SetAttributes>(action);
}

Result<void> make_programs_work_durable(System& machine) {
  CommandLine sync;
  sync.argv = {"sync"};
  sync.timeout = std::chrono::seconds(600);
  SENTINEL_TRY(const auto result, machine.run(sync));
  if (result.status == 0) return {};
  return Error("engine.not-durable", fmt::format("sync exited with status {}: {}", result.status, result.errors));
}

struct Executor::Act {
  const Surroundings& around;

  System& machine() const { return around.host.machine; }

  Result<FileAttributes> attributes(const std::string& owner, const std::string& group, std::uint32_t mode) const {
    // Read anew for every action: a package or useradd may have added them a moment ago.
    SENTINEL_TRY(const auto known, read_accounts(machine()));
    SENTINEL_TRY(const auto uid, known.uid_of(owner));
    SENTINEL_TRY(const auto gid, known.gid_of(group));
    return FileAttributes{uid, gid, mode};
  }

  Result<void> operator()(const WriteFile& action) const {
    SENTINEL_TRY(const auto wanted, attributes(action.owner, action.group, action.mode));
    SENTINEL_TRY(const auto parent, machine().status(parent_directory(action.path)));
    if (parent.type == FileType::kAbsent) {
      return Error("resource.no-directory", fmt::format("{} can't be written: its directory isn't there", action.path),
                   "declare the directory before the file");
    }
    SENTINEL_TRY(auto bytes, around.host.blobs.get(action.content.digest));
    if (!action.content.holes) return machine().replace_file(action.path, bytes, wanted);
    SENTINEL_TRY(const auto content, Content::parse(bytes, true));
    SENTINEL_TRY(const auto filled,
                 fill(content, [this](const std::string& name) { return around.secrets.find(name); }));
    return machine().replace_file(action.path, filled.reveal(), wanted);
  }

  Result<void> operator()(const RemoveFile& action) const { return machine().remove_file(action.path); }

  Result<void> operator()(const MakeDirectory& action) const {
    SENTINEL_TRY(const auto wanted, attributes(action.owner, action.group, action.mode));
    return machine().make_directory(action.path, wanted);
  }

  Result<void> operator()(const RemoveDirectory& action) const { return machine().remove_directory(action.path); }

  Result<void> operator()(const MakeLink& action) const { return machine().make_link(action.path, action.target); }

  Result<void> operator()(const SetAttributes& action) const {
    SENTINEL_TRY(const auto wanted, attributes(action.owner, action.group, action.mode));
    return machine().set_attributes(action.path, wanted);
  }

  Result<void> operator()(const RunCommand& action) const {
    CommandLine command;
    command.argv = action.argv;
    command.timeout = std::chrono::seconds(action.timeout_seconds);
    auto result = machine().run(command);
    if (!result.ok()) {
      if (action.may_fail && result.error().code != "process.timeout") return {};
      return std::move(result).error();
    }
    if (result->status == 0 || action.may_fail) return {};
    return Error("command.failed", fmt::format("{} exited with {}", describe(action), result->reason()));
  }

  Result<void> operator()(const InstallPackages& action) const { return packages_of(around).install(action.names); }

  Result<void> operator()(const RemovePackages& action) const { return packages_of(around).remove(action.names); }

  Result<void> operator()(const PurgePackagesAddedSince& action) const {
    SENTINEL_TRY(const auto before, around.host.blobs.get(action.snapshot));
    return packages_of(around).purge_added_since(before);
  }

  Result<void> operator()(const SetKernelParameter& action) const {
    return machine().write_kernel_file(kernel_path(action.key), action.value);
  }

  Result<void> operator()(const RestoreFirewall& action) const {
    SENTINEL_TRY(const auto snapshot, around.host.blobs.get(action.snapshot));
    return restore_firewall(snapshot, machine());
  }
};

struct Executor::Capture {
  const Surroundings& around;
  std::set<std::string> names;  // how the observed state names contents

  Result<std::string> keep(const std::string& bytes, bool is_private) const {
    auto& blobs = around.host.blobs;
    SENTINEL_TRY(const auto key, around.host.secrets.host_key());
    if (names.count(sensitive_name(key, bytes)) > 0) return blobs.put_sensitive(bytes, key);
    if (names.count(sha256_hex(bytes)) > 0) return blobs.put(bytes);
    return is_private ? blobs.put_sensitive(bytes, key) : blobs.put(bytes);
  }

  // The action that brings back what stands at the path now.
  Result<Action> file(WriteFile undo) const {
    auto& machine = around.host.machine;
    SENTINEL_TRY(const auto now, machine.status(undo.path));
    if (now.type == FileType::kAbsent) return Action(RemoveFile{undo.path});
    if (now.type == FileType::kLink) {
      SENTINEL_TRY(auto target, machine.read_link(undo.path));
      return Action(MakeLink{undo.path, std::move(target)});
    }
    if (now.type != FileType::kRegular) {
      return Error("engine.cannot-capture",
                   fmt::format("{} is not a regular file, so what it holds can't be kept for an undo", undo.path));
    }
    SENTINEL_TRY(const auto bytes, machine.read_file(undo.path));
    SENTINEL_TRY(auto name, keep(bytes, (now.mode & 0004) == 0));
    undo.content = {std::move(name), false, bytes.size()};
    return Action(std::move(undo));
  }

  Result<Action> operator()(const WriteFile& undo) const {
    return undo.content.digest.empty() ? file(undo) : Action(undo);
  }

  Result<Action> operator()(const PurgePackagesAddedSince& undo) const {
    if (!undo.snapshot.empty()) return Action(undo);
    SENTINEL_TRY(const auto text, packages_of(around).snapshot());
    SENTINEL_TRY(auto name, around.host.blobs.put(text));
    return Action(PurgePackagesAddedSince{std::move(name)});
  }

  Result<Action> operator()(const RestoreFirewall& undo) const {
    if (!undo.snapshot.empty()) return Action(undo);
    SENTINEL_TRY(const auto text, capture_firewall(around.host.machine));
    SENTINEL_TRY(auto name, around.host.blobs.put(text));
    return Action(RestoreFirewall{std::move(name)});
  }

  template <typename T>
  Result<Action> operator()(const T& undo) const {
    return Action(undo);
  }

  // policy-rc.d as it is before apt runs, unless it is what an interrupted run of ours left.
  Result<Action> policy() const {
    auto& machine = around.host.machine;
    SENTINEL_TRY(const auto now, machine.status(kPolicyPath));
    if (now.type != FileType::kRegular) return Action(RemoveFile{kPolicyPath});
    SENTINEL_TRY(const auto bytes, machine.read_file(kPolicyPath));
    if (bytes == policy_text()) return Action(RemoveFile{kPolicyPath});
    return file(WriteFile{kPolicyPath, {}, std::to_string(now.uid), std::to_string(now.gid), now.mode});
  }
};

Executor::Executor(Surroundings surroundings) : around_(std::move(surroundings)) {}

Result<void> Executor::run(const Action& action) {
  auto done = std::visit(Act{around_}, action);
  if (!done.ok()) return std::move(done).error().during(describe(action));
  return {};
}

Result<void> Executor::run_files_only(const Action& action) {
  if (is_file_action(action)) return run(action);
  const auto* firewall = std::get_if<RestoreFirewall>(&action);
  if (firewall == nullptr) return {};
  SENTINEL_TRY(const auto snapshot, around_.host.blobs.get(firewall->snapshot));
  return restore_firewall_files(snapshot, around_.host.machine);
}

Result<std::vector<Action>> Executor::capture(const Step& step, const nlohmann::json& state) {
  std::vector<Action> undo;
  const auto* planned = std::get_if<std::vector<Action>>(&step.undo);
  if (planned == nullptr) return undo;
  Capture capturing{around_, {}};
  BlobStore::collect_names(state, capturing.names);
  for (const auto& action : *planned) {
    auto complete = std::visit(capturing, action);
    if (!complete.ok())
      return std::move(complete).error().during("keeping what stands there before: " + describe(action));
    undo.push_back(std::move(complete).value());
  }
  const bool runs_apt = std::any_of(step.actions.begin(), step.actions.end(), [](const Action& action) {
    return std::holds_alternative<InstallPackages>(action) || std::holds_alternative<RemovePackages>(action);
  });
  if (runs_apt) {
    // Last: undoing an installation runs under our policy as well.
    SENTINEL_TRY(auto policy, capturing.policy());
    undo.push_back(std::move(policy));
  }
  return undo;
}

}  // namespace sentinel
