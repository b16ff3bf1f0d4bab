// SPDX-License-Identifier: Apache-2.0
// Only what resource kinds plan; packages come and go without what they depend on.
#include "tests/support/survey_bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/resources/accounts.h"
#include "core/resources/dpkg_status.h"
#include "core/resources/fill.h"
#include "core/resources/firewall_snapshot.h"
#include "core/resources/look.h"
#include "tests/support/fake_units.h"

namespace sentinel {
namespace {

std::string present_packages(FakeSystem& machine) {
  const auto status = DpkgStatus::parse(machine.read_file(kDpkgStatusPath).value_or(""));
  return fmt::format("{}\n", fmt::join(status->present(), "\n"));
}

void purge_added_since(const std::string& snapshot, FakeSystem& machine) {
  const auto status = DpkgStatus::parse(machine.read_file(kDpkgStatusPath).value_or(""));
  for (const auto& package : status->present()) {
    if (snapshot.find(package + "\n") == std::string::npos)
      set_packages(machine, {package.substr(0, package.find(':'))}, "not-installed");
  }
}

}  // namespace

ContentRef SurveyBench::know(const Content& content) {
  const auto reference = reference_to(content);
  contents[reference.digest] = content.serialize();
  return reference;
}

Surroundings SurveyBench::surroundings() {
  return Surroundings{machine,
                      [this](const ContentRef& reference) -> std::optional<std::string> {
                        const auto found = contents.find(reference.digest);
                        return found == contents.end() ? std::nullopt : std::optional<std::string>(found->second);
                      },
                      [this](const std::string& name) -> const Secret* {
                        const auto found = secrets.find(name);
                        return found == secrets.end() ? nullptr : &found->second;
                      },
                      host_key,
                      {"22"},
                      [this](std::string_view bytes) -> Result<void> {
                        contents[sha256_hex(bytes)] = bytes;
                        return {};
                      }};
}

Result<Step> SurveyBench::plan(const Resource& resource) {
  Survey survey(surroundings());
  survey.prefetch({resource});
  SENTINEL_TRY(const auto state, survey.observe(resource.body));
  auto step = survey.plan(resource, state);
  missing = survey.missing();
  return step;
}

Result<nlohmann::json> SurveyBench::observe(const ResourceBody& body) {
  Survey survey(surroundings());
  return survey.observe(body);
}

std::vector<Action> SurveyBench::captured(std::vector<Action> undo) {
  for (auto& action : undo) {
    if (auto* purge = std::get_if<PurgePackagesAddedSince>(&action))
      purge->snapshot = know(Content(present_packages(machine))).digest;
    if (auto* firewall = std::get_if<RestoreFirewall>(&action))
      firewall->snapshot = know(Content(*capture_firewall(machine))).digest;
    auto* write = std::get_if<WriteFile>(&action);
    if (write == nullptr || !write->content.digest.empty()) continue;
    const auto bytes = machine.read_file(write->path).value_or({});
    write->content = know(Content(bytes));
    // States of files that may hold secrets name them so, and going back to such a state asks by that name.
    contents[sensitive_name(host_key, bytes)] = bytes;
  }
  return undo;
}

Result<void> SurveyBench::act(const std::vector<Action>& actions) {
  for (const auto& action : actions) SENTINEL_CHECK(act(action));
  return {};
}

Result<void> SurveyBench::act(const Action& action) {
  SENTINEL_TRY(const auto known, read_accounts(machine));
  const auto attributes = [&](const auto& like) -> Result<FileAttributes> {
    SENTINEL_TRY(const auto uid, known.uid_of(like.owner));
    SENTINEL_TRY(const auto gid, known.gid_of(like.group));
    return FileAttributes{uid, gid, static_cast<mode_t>(like.mode)};
  };
  if (const auto* write = std::get_if<WriteFile>(&action)) {
    SENTINEL_TRY(const auto wanted, attributes(*write));
    const auto bytes = contents.find(write->content.digest);
    if (bytes == contents.end()) return Error("test.no-content", "no content for " + write->path);
    SENTINEL_TRY(const auto content, Content::parse(bytes->second, write->content.holes));
    SENTINEL_TRY(const auto filled, fill(content, surroundings().secret));
    return machine.replace_file(write->path, filled.reveal(), wanted);
  }
  if (const auto* made = std::get_if<MakeDirectory>(&action)) {
    SENTINEL_TRY(const auto wanted, attributes(*made));
    return machine.make_directory(made->path, wanted);
  }
  if (const auto* set = std::get_if<SetAttributes>(&action)) {
    SENTINEL_TRY(const auto wanted, attributes(*set));
    return machine.set_attributes(set->path, wanted);
  }
  if (const auto* file = std::get_if<RemoveFile>(&action)) return machine.remove_file(file->path);
  if (const auto* directory = std::get_if<RemoveDirectory>(&action)) return machine.remove_directory(directory->path);
  if (const auto* link = std::get_if<MakeLink>(&action)) return machine.make_link(link->path, link->target);
  if (const auto* parameter = std::get_if<SetKernelParameter>(&action)) {
    std::string path = parameter->key;
    std::replace(path.begin(), path.end(), '.', '/');
    return machine.write_kernel_file("/proc/sys/" + path, parameter->value + "\n");
  }
  if (const auto* install = std::get_if<InstallPackages>(&action)) {
    set_packages(machine, install->names, "installed");
    return {};
  }
  if (const auto* remove = std::get_if<RemovePackages>(&action)) {
    set_packages(machine, remove->names, "config-files");
    return {};
  }
  if (const auto* purge = std::get_if<PurgePackagesAddedSince>(&action)) {
    purge_added_since(contents.at(purge->snapshot), machine);
    return {};
  }
  if (const auto* firewall = std::get_if<RestoreFirewall>(&action))
    return restore_firewall(contents.at(firewall->snapshot), machine);
  if (const auto* command = std::get_if<RunCommand>(&action)) {
    CommandLine line;
    line.argv = command->argv;
    SENTINEL_TRY(const auto result, machine.run(line));
    if (result.status != 0 && !command->may_fail)
      return Error("test.command-failed", fmt::format("{}: {}", describe(action), result.errors));
    return {};
  }
  return Error("test.unknown-action", describe(action));
}

}  // namespace sentinel
