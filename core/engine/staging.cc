// SPDX-License-Identifier: Apache-2.0
#include "core/engine/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "core/resources/accounts.h"
#include "core/resources/fill.h"
#include "core/resources/validators.h"

namespace sentinel {
namespace {

// Attributes as they will be, where the accounts exist already; what no validator's user can exist for stays root's.
FileAttributes attributes_of(const WriteFile& write, const Accounts& known) {
  const auto uid = known.uid_of(write.owner);
  const auto gid = known.gid_of(write.group);
  return {uid.value_or(0), gid.value_or(0), write.mode};
}

Result<bool> can_run(const Validator& validator, Reader& machine) {
  // A program may be a link (/usr/sbin/visudo is not, /usr/bin/promtool may be).
  SENTINEL_TRY(const auto program, machine.status(validator.program));
  if (program.type == FileType::kAbsent) return false;
  if (validator.user.empty()) return true;
  SENTINEL_TRY(const auto known, read_accounts(machine));
  return known.user(validator.user) != nullptr;
}

Result<void> remove_tree(System& machine, const std::string& path) {
  SENTINEL_TRY(const auto names, machine.list(path));
  for (const auto& name : names) {
    const auto entry = path + "/" + name;
    SENTINEL_TRY(const auto status, machine.status(entry));
    SENTINEL_CHECK(status.type == FileType::kDirectory ? remove_tree(machine, entry) : machine.remove_file(entry));
  }
  return machine.remove_directory(path);
}

}  // namespace

Staging::Staging(Executor::Surroundings around, FutureRunner future)
    : around_(std::move(around)), future_(std::move(future)) {}

Result<void> Staging::check(const std::vector<Resource>& resources, const Plan& plan) {
  plan_ = &plan;
  for (const auto& resource : resources) {
    const auto is_planned = [&](const Step& step) { return step.id == resource.id && writes_files(step); };
    if (validator_of(resource.body) && std::any_of(plan.steps.begin(), plan.steps.end(), is_planned))
      unchecked_.emplace(resource.id, resource);
  }
  SENTINEL_TRY(const auto ready, runnable());
  if (ready.empty()) return {};
  SENTINEL_CHECK(write_tree());
  for (auto& [id, verdict] : validate(ready)) SENTINEL_CHECK(std::move(verdict));
  return {};
}

// A package has brought validators for more than this resource: they run together, since starting them is what costs.
// What refuses before its turn may only lack what a step until then brings, so it is asked again at its turn.
Result<void> Staging::check_before_acting(const Resource& resource, const Step& step) {
  if (!validator_of(resource.body) || !writes_files(step) || checked_.count(resource.id) > 0) return {};
  unchecked_.emplace(resource.id, resource);  // a step may turn out to be needed that nobody planned
  SENTINEL_TRY(const auto ready, runnable());
  if (std::none_of(ready.begin(), ready.end(), [&](const Resource* other) { return other->id == resource.id; }))
    return {};
  auto outcome = write_tree(&step);
  if (outcome.ok()) outcome = std::move(validate(ready).at(resource.id));
  SENTINEL_CHECK(remove_staged(around_.host));
  return outcome;
}

Result<std::vector<const Resource*>> Staging::runnable() {
  std::vector<const Resource*> out;
  for (const auto& [id, resource] : unchecked_) {
    SENTINEL_TRY(const bool can, can_run(*validator_of(resource.body), around_.host.machine));
    if (can) out.push_back(&resource);
  }
  return out;
}

bool Staging::writes_files(const Step& step) {
  return std::any_of(step.actions.begin(), step.actions.end(),
                     [](const Action& action) { return std::holds_alternative<WriteFile>(action); });
}

Result<void> Staging::write_tree(const Step* now) {
  const auto write_all = [&](const Step& step) -> Result<void> {
    for (const auto& action : step.actions) {
      if (const auto* write = std::get_if<WriteFile>(&action)) SENTINEL_CHECK(write_one(*write));
    }
    return {};
  };
  SENTINEL_CHECK(remove_staged(around_.host));
  for (const auto& step : plan_->steps) SENTINEL_CHECK(write_all(step));
  return now == nullptr ? Result<void>() : write_all(*now);
}

Result<void> Staging::write_one(const WriteFile& write) {
  auto& machine = around_.host.machine;
  if (!write.path.starts_with("/etc/")) return {};  // the future tree is one of /etc
  const auto root = around_.host.directory.staged();
  SENTINEL_CHECK(machine.make_directory(root, {0, 0, 0700}));
  for (auto slash = write.path.find('/', 1); slash != std::string::npos; slash = write.path.find('/', slash + 1)) {
    const auto directory = write.path.substr(0, slash);
    SENTINEL_TRY(const auto real, machine.status(directory));
    const bool exists = real.type == FileType::kDirectory;
    const auto attributes = exists ? FileAttributes{real.uid, real.gid, real.mode} : FileAttributes{0, 0, 0755};
    SENTINEL_CHECK(machine.make_directory(root + directory, attributes));
  }
  SENTINEL_TRY(const auto known, read_accounts(machine));
  SENTINEL_TRY(const auto bytes, around_.host.blobs.get(write.content.digest));
  SENTINEL_TRY(const auto content, Content::parse(bytes, write.content.holes));
  SENTINEL_TRY(const auto filled,
               fill(content, [this](const std::string& name) { return around_.secrets.find(name); }));
  return machine.replace_file(root + write.path, filled.reveal(), attributes_of(write, known));
}

std::map<std::string, Result<void>> Staging::validate(const std::vector<const Resource*>& ready) {
  std::map<std::string, std::future<Result<void>>> running;
  for (const auto* resource : ready) {
    running.emplace(resource->id, std::async(std::launch::async, [this, resource] { return validate_one(*resource); }));
  }
  std::map<std::string, Result<void>> verdicts;
  for (auto& [id, verdict] : running) verdicts.emplace(id, verdict.get());
  for (const auto& [id, verdict] : verdicts) {
    if (!verdict.ok()) continue;
    checked_.insert(id);
    unchecked_.erase(id);
  }
  return verdicts;
}

Result<void> Staging::validate_one(const Resource& resource) const {
  const auto validator = validator_of(resource.body);
  SENTINEL_TRY(const auto result, future_(around_.host.directory.staged(), validator->command, validator->user));
  auto judged = judge(resource.body, result);
  if (judged.ok()) return {};
  return std::move(judged).error().during(
      fmt::format("validating {}", resource.origin.empty() ? resource.id : resource.origin));
}

Result<void> remove_staged(HostState& host) {
  const auto path = host.directory.staged();
  SENTINEL_TRY(const auto status, host.machine.status(path));
  if (status.type == FileType::kAbsent) return {};
  return remove_tree(host.machine, path);
}

}  // namespace sentinel
