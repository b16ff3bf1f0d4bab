// SPDX-License-Identifier: Apache-2.0
#include "core/engine/commit.h"

#include <algorithm>
#include <set>

#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr std::size_t kJournalsKept = 50;
/// Contents are uploaded before their transaction begins; younger blobs may belong to one that is being prepared.
constexpr std::chrono::hours kUploadGrace{1};

// Managed before, not part of this request, and still as it was wanted: it stays managed.
bool still_so(const Resource& resource, Survey& survey, nlohmann::json& state) {
  auto now = survey.observe(resource.body);
  if (!now.ok()) return false;
  const auto step = survey.plan(resource, *now);
  if (!step.ok() || !step->changes.empty()) return false;
  state = std::move(now).value();
  return true;
}

void add_secrets(const std::vector<SecretSpec>& specs, Generation& generation) {
  for (const auto& spec : specs) {
    const auto same = [&](const SecretSpec& known) { return known.name == spec.name; };
    if (std::none_of(generation.secrets.begin(), generation.secrets.end(), same)) generation.secrets.push_back(spec);
  }
}

Result<void> remove_journal(const std::string& id, HostState& host) {
  const auto directory = host.directory.journal(id);
  // The log goes last: without it the transaction would look as if it had never begun.
  SENTINEL_TRY(auto names, host.machine.list(directory));
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return name != "log"; });
  for (const auto& name : names) SENTINEL_CHECK(host.machine.remove_file(directory + "/" + name));
  return host.machine.remove_directory(directory);
}

Result<void> prune_journals(HostState& host, std::set<std::string>& referenced) {
  struct Past {
    std::string id;
    std::int64_t changed_ns = 0;
  };

  std::vector<Past> closed;
  SENTINEL_TRY(const auto ids, transactions(host.directory, host.machine));
  for (const auto& id : ids) {
    const auto bytes = host.machine.read_file(host.directory.log(id));
    if (bytes.ok() && !journal::is_closed(*bytes)) {
      // A damaged journal is evidence for a person, and nobody knows which blobs it names: nothing is removed.
      SENTINEL_TRY(const auto reading, journal::read(*bytes));
      for (const auto& record : reading.records) BlobStore::collect_names(nlohmann::json(record), referenced);
      if (!reading.records.empty()) continue;
    }
    SENTINEL_TRY(const auto status, host.machine.status(host.directory.journal(id)));
    closed.push_back({id, status.changed_ns});
  }
  std::sort(closed.begin(), closed.end(), [](const Past& a, const Past& b) { return a.changed_ns > b.changed_ns; });
  for (std::size_t i = kJournalsKept; i < closed.size(); ++i) SENTINEL_CHECK(remove_journal(closed[i].id, host));
  return {};
}

}  // namespace

Result<Generation> next_generation(const journal::Begin& begin, const std::map<std::string, nlohmann::json>& states,
                                   HostState& host, Survey& survey, const std::string& time) {
  SENTINEL_TRY(const auto previous, host.generations.load(begin.base_generation));
  Generation next;
  next.number = begin.base_generation + 1;
  next.transaction = begin.transaction;
  next.time = time;
  next.operator_name = begin.request.operator_name;
  next.purpose = begin.request.purpose;
  next.project = begin.request.project;
  next.originals = previous.originals;
  next.originals_order = previous.originals_order;
  std::set<std::string> wanted_ids;
  std::set<std::string> wanted_things;
  for (const auto& resource : begin.request.resources) {
    wanted_ids.insert(resource.id);
    wanted_things.insert(identity(resource.body));
  }
  for (const auto& managed : previous.managed) {
    const auto& resource = managed.resource;
    if (wanted_ids.count(resource.id) > 0 || wanted_things.count(identity(resource.body)) > 0) continue;
    nlohmann::json state;
    if (still_so(resource, survey, state)) next.managed.push_back({resource, std::move(state)});
  }
  for (const auto& resource : begin.request.resources) {
    const auto state = states.find(resource.id);
    next.managed.push_back({resource, state == states.end() ? nlohmann::json() : state->second});
    const auto name = identity(resource.body);
    const auto before = begin.states.find(resource.id);
    if (before == begin.states.end() || !next.originals.emplace(name, Original{resource.body, before->second}).second)
      continue;
    next.originals_order.push_back(name);
  }
  add_secrets(begin.request.secrets, next);
  add_secrets(previous.secrets, next);
  return next;
}

Result<void> finish_commit(journal::Writer& writer, const journal::Begin& begin, const journal::Commit& commit,
                           HostState& host) {
  SENTINEL_TRY(const auto generation, decode<Generation>(commit.generation));
  SENTINEL_TRY(const auto current, host.generations.current());
  if (current < generation.number) SENTINEL_CHECK(host.generations.store(generation));
  SENTINEL_CHECK(host.audit.append({commit.time, begin.transaction, begin.request.operator_name, begin.request.purpose,
                                    begin.request.project, "changed", generation.number, commit.changed, ""}));
  return writer.append(journal::Closed{"changed"});
}

Result<void> prune(HostState& host, Clock& clock) {
  std::set<std::string> referenced;
  SENTINEL_CHECK(prune_journals(host, referenced));
  SENTINEL_CHECK(host.generations.prune());
  SENTINEL_TRY(const auto kept, host.generations.kept());
  for (const auto number : kept) {
    SENTINEL_TRY(const auto generation, host.generations.load(number));
    BlobStore::collect_names(nlohmann::json(generation), referenced);
  }
  return host.blobs.prune(referenced, clock.now() - kUploadGrace);
}

}  // namespace sentinel
