// SPDX-License-Identifier: Apache-2.0
#include "core/release/release_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/model/json.h"
#include "core/model/probe_headers.h"
#include "core/release/migrations.h"

namespace sentinel {
namespace {

// Which of a release's files hold the release's name because every release needs one there. In all others a name is
// what somebody wrote: another one is a change.
bool names_its_release(const std::string& path) {
  return path == kReleaseUnit || path == kReleaseSocket || path == kReleaseCompose;
}

// The text of a release's file without the release's own name, so that two releases can be compared. Only where the
// name stands as one: a short one may be a word of some comment.
std::string comparable(const std::string& path, const Content& content, const std::string& id) {
  constexpr const char* kPlace = "<release>";
  auto text = content.display();
  if (!names_its_release(path)) return text;
  for (const auto& [before, behind] : {std::pair("/", "/"),
                                       {"/", "\n"},
                                       {"-", ".service"},
                                       {"release ", "\n"},
                                       {"-", "\n"},
                                       {"-", ":\n"},
                                       {":", "\n"}}) {
    const auto name = before + id + behind;
    const auto general = std::string(before) + kPlace + behind;
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + general.size())) {
      text.replace(at, name.size(), general);
    }
  }
  return text;
}

Error bad_order(const std::string& code, const std::string& message, const std::string& hint = {}) {
  return Error(code, message, hint, ExitCode::kUsage);
}

Result<void> check_deploy(const Release& release, const AppReleases& app) {
  if (!is_release_id(release.id)) {
    return bad_order("release.bad-id", fmt::format("'{}' can't name a release", release.id),
                     "letters, digits, '.', '_' and '-', at most 64");
  }
  const bool compose = release.runtime == RuntimeKind::kCompose;
  if ((release.artefact.kind == Artefact::Kind::kImage) != compose) {
    return bad_order("release.runtime", "systemd runs bundles, and compose runs images");
  }
  if (!app.current.empty() && app.runtime != release.runtime) {
    return bad_order(
        "release.runtime-changed",
        fmt::format("the releases of {} on this host run under {}", app.app, compose ? "systemd" : "compose"),
        "an application keeps its runtime: deploy under another project name, and lead Caddy there");
  }
  for (const auto& file : release.files) {
    if (file.path.empty() || file.path.front() == '/' || file.path.find("..") != std::string::npos) {
      return bad_order("release.file", fmt::format("'{}' leaves the release's directory", file.path));
    }
  }
  const auto* known = app.find(release.id);
  if (known == nullptr || known->state == ReleaseState::kFailed || known->state == ReleaseState::kStaged) return {};
  if (release.id == app.current) return {};
  return bad_order("release.exists", fmt::format("the host has a release {} already", release.id),
                   fmt::format("go to it: sentinelctl rollback {}; or choose another id", release.id));
}

struct Differences {
  std::vector<Change> changes;
  std::vector<ContentRef> missing;
};

class FileComparison {
 public:
  FileComparison(HostState& host, const ContentLookup& contents) : store_(host), contents_(contents) {}

  // Files of both, each as one change where they differ.
  Result<Differences> files(const Release& next, const Release* former) {
    Differences out;
    for (const auto& file : next.files) {
      std::string before;
      if (former != nullptr) {
        if (const auto content = store_.content(*former, file.path); content.ok())
          before = comparable(file.path, *content, former->id);
      }
      const auto bytes = contents_(file.content.digest);
      if (!bytes) {
        out.missing.push_back(file.content);
        continue;
      }
      SENTINEL_TRY(const auto content, Content::parse(*bytes, file.content.holes));
      auto after = comparable(file.path, content, next.id);
      if (before != after) out.changes.push_back({file.path, std::move(before), std::move(after), false});
    }
    return out;
  }

 private:
  ReleaseStore store_;
  const ContentLookup& contents_;
};

// A rollback's files are on the host.
Result<Differences> deployed_files(const Release& next, const Release& former, HostState& host) {
  ReleaseStore store(host);
  Differences out;
  for (const auto& file : next.files) {
    SENTINEL_TRY(const auto content, store.content(next, file.path));
    auto after = comparable(file.path, content, next.id);
    std::string before;
    if (const auto now = store.content(former, file.path); now.ok()) before = comparable(file.path, *now, former.id);
    if (before != after) out.changes.push_back({file.path, std::move(before), std::move(after), false});
  }
  return out;
}

// Of the artefact. What is pulled isn't sent, and parts of an image that an earlier release brought are there.
std::vector<ContentRef> missing_of(const Release& next, HostState& host, const ContentLookup& contents) {
  const auto& artefact = next.artefact;
  auto wanted = artefact.parts;
  if (artefact.kind == Artefact::Kind::kBundle) wanted.push_back({artefact.sha256, false, artefact.size});
  std::erase_if(wanted, [&](const ContentRef& part) {
    const bool known =
        artefact.kind == Artefact::Kind::kImage && read_image_part(host.machine, next.app, part.digest).ok();
    return known || contents(part.digest);
  });
  return wanted;
}

// What the release is held to, but for how long this very deploy waits.
std::string policy_text(const Release* release) {
  if (release == nullptr) return {};
  auto policy = release->policy;
  policy.health.gate.deadline_ms = 0;
  mask_probe_headers(policy.health, "[not shown]");  // releases of long ago have them here
  return to_text(policy);
}

std::string described(const Release* release) {
  return release == nullptr ? ""
                            : fmt::format("{} {} ({})", release->artefact.name, release->artefact.version,
                                          release->artefact.sha256.substr(0, 12));
}

}  // namespace

Result<ReleaseOrder> complete_order(const ReleaseOrder& order, const AppReleases& app) {
  if (!is_release_id(order.release.app)) {
    return bad_order("release.bad-id", fmt::format("'{}' can't name an application", order.release.app));
  }
  if (order.action == ReleaseOrder::Action::kDeploy) {
    SENTINEL_CHECK(check_deploy(order.release, app));
    return order;
  }
  SENTINEL_TRY(const auto target, rollback_target(app, order.release.id));
  auto complete = order;
  complete.release = app.find(target)->release;
  return complete;
}

Result<PlannedRequest> plan_release(const Request& request, HostState& host, SecretView& secrets,
                                    const ContentLookup& contents) {
  PlannedRequest planned;
  planned.plan.host = request.host;
  SENTINEL_TRY(const auto key, host.secrets.host_key());
  for (const auto& spec : request.secrets) {
    SENTINEL_TRY(planned.states["secret/" + spec.name], secrets.observe(spec, key));
    SENTINEL_TRY(auto step, secrets.plan(spec, host.blobs));
    if (!step.changes.empty()) planned.plan.steps.push_back(std::move(step));
  }
  const auto& order = *request.release;
  const auto& next = order.release;
  const bool deploy = order.action == ReleaseOrder::Action::kDeploy;
  SENTINEL_TRY(const auto app, ReleaseRegistry(host.machine, host.directory).read(next.app));
  planned.states["release/" + next.app] = nlohmann::json(app);
  const auto* current = app.find(app.current);
  const Release* former = current == nullptr ? nullptr : &current->release;
  Differences differences;
  if (deploy) {
    SENTINEL_TRY(differences, FileComparison(host, contents).files(next, former));
    for (auto& part : missing_of(next, host, contents)) differences.missing.push_back(std::move(part));
  } else {
    SENTINEL_CHECK(ReleaseStore(host).verify(next));
    if (former != nullptr) {
      SENTINEL_TRY(differences, deployed_files(next, *former, host));
    }
  }
  planned.missing = std::move(differences.missing);
  const auto migrations = migration_work(app, order);
  for (auto& step : steps_to_run(migrations)) planned.plan.steps.push_back(std::move(step));
  for (const auto& stays : migrations.stay) {
    differences.changes.push_back(
        {migration_step(stays.migration.id), "done", "done, and stays: " + stays.migration.irreversible, false});
  }
  if (auto before = policy_text(former), after = policy_text(&next); before != after) {
    differences.changes.push_back({"policy", std::move(before), std::move(after), false});
  }
  const bool same_artefact = former != nullptr && former->artefact == next.artefact;
  const bool confirmed = current != nullptr && current->state == ReleaseState::kConfirmed;
  const bool same = same_artefact && differences.changes.empty() && planned.plan.steps.empty() && confirmed;
  if (planned.missing.empty() && former != nullptr && next.id == former->id) {
    if (same || !deploy) planned.plan.steps.clear();
    if (!same && deploy) {
      return bad_order("release.exists", fmt::format("release {} is in force, and is another one", next.id),
                       "choose another id");
    }
  } else if (!same || !deploy) {
    Step step;
    step.id = "release/" + next.app;
    step.kind = "release";
    step.risk = Risk::kService;
    step.title = fmt::format("{} release {} of {}", deploy ? "deploy" : "go back to", next.id, next.app);
    step.changes.push_back({"release", former == nullptr ? "" : former->id, next.id, false});
    if (!same_artefact) step.changes.push_back({"artefact", described(former), described(&next), false});
    for (auto& change : differences.changes) step.changes.push_back(std::move(change));
    planned.plan.steps.push_back(std::move(step));
    for (auto& undone : steps_to_undo(migrations)) planned.plan.steps.push_back(std::move(undone));
  }
  planned.plan.unchanged = planned.plan.steps.empty() ? 1 : 0;
  planned.plan.observed = digest_of(planned.states);
  return planned;
}

}  // namespace sentinel
