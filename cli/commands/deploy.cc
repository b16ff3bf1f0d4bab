// SPDX-License-Identifier: Apache-2.0
// `deploy`: ships a release, has the host prove it healthy, and the host takes it back by itself when it is not.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/release_hooks.h"
#include "cli/run.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/config/release_rendering.h"
#include "core/model/image.h"
#include "core/wire/messages.h"

namespace sentinel {
namespace {

constexpr std::size_t kLargestArtefact = 512U << 20;
// Contents of one conversation are bounded, and the rendered files go along.
constexpr std::size_t kLargestShipped = kMaxContent - (1U << 20);
constexpr std::uint64_t kMostHosts = 100'000;

// "0.1.0-20260131T081530": sorts by time among releases of one version.
std::string new_release_id(const std::string& version) {
  std::string time = to_rfc3339(SystemClock().now());
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return version + "-" + time.substr(0, 15);
}

class DeployCommand final : public Subcommand {
 public:
  std::string name() const override { return "deploy"; }

  std::string summary() const override { return "ship a release, verify it, take it back when it is not healthy"; }

  void declare(Declaration& d) override {
    d.option("--artifact", "PATH", artifact_, "the bundle or image to ship; without it app.artifact of the project");
    d.option("--image", "REF", image_, "in its place an image the hosts pull: NAME@sha256:DIGEST");
    d.option("--release", "ID", release_, "what to call it; without it version and time");
    d.option("--health-timeout", "S", health_timeout_, "seconds until it must be healthy; without it health.start");
    d.flag("--no-rollback", no_rollback_, "a release that fails under its traffic keeps it (exit 7)");
    d.option("--canary", "N", canary_, "so many hosts first; the others when these are well");
    d.option("--wave", "N", wave_, "so many hosts at a time; without it all that are left");
    d.option("--max-failures", "N", max_failures_,
             "hosts that may fail or be unreachable; one more, and hosts that have the release go back (0)");
    d.flag("--drain-wait", drain_wait_, "wait until the streams of the former release have ended");
  }

  ExitCode run(const Context& context) override {
    Console& console = context.console;
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    console.warn(diagnostics.warnings);
    if (!workspace) return console.fail(diagnostics.errors);
    std::string archive;
    auto wished = wish_for(*workspace, archive);
    if (!wished.ok()) return console.fail(wished.error());
    ReleaseWish& wish = *wished;
    const std::string id = release_.empty() ? new_release_id(wish.artefact.version) : release_;
    if (!is_release_id(id)) {
      return console.fail(Error("release.bad-id", fmt::format("'{}' can't name a release", id),
                                "letters, digits, '.', '_' and '-', at most 64", ExitCode::kUsage));
    }
    wish.id = id;
    if (health_timeout_)
      wish.start_seconds = static_cast<std::uint32_t>(std::min<std::uint64_t>(*health_timeout_, 86'400));
    Run run(context, *workspace, "deploy " + id);
    if (const auto ready = run.prepare(); !ready.ok()) return console.fail(ready.error());
    const Interruption::Watch given_up(context.interruption, 1);
    const HookFacts facts = facts_of_all(*workspace, id);
    const Errors unconnected = run_hooks(workspace->project, HookMoment::kPreConnect, facts, given_up.fd());
    if (!unconnected.empty()) return console.fail(unconnected);
    run.plan([&](HostTask& task) { return run.plan_release(task, wish, {!no_rollback_, drain_wait_}); });
    const WaveChoices waves = wave_choices();
    run.in_waves(waves);
    if (const auto order = describe_waves(facts.hosts, waves); !order.empty()) console.say("Order: " + order + ".\n");
    bool begun = false;
    run.before_changes([&] {
      const Errors errors = run_hooks(workspace->project, HookMoment::kPreDeploy, facts, given_up.fd());
      begun = errors.empty();
      return errors;
    });
    const ExitCode ended = run.finish();
    if (begun) console.warn(tell_of_deploy(workspace->project, run.tasks(), id));
    return ended;
  }

 private:
  WaveChoices wave_choices() const {
    WaveChoices out;
    out.canary = static_cast<unsigned>(std::min<std::uint64_t>(canary_.value_or(0), kMostHosts));
    out.wave = static_cast<unsigned>(std::min<std::uint64_t>(wave_.value_or(0), kMostHosts));
    if (max_failures_) out.max_failures = static_cast<unsigned>(std::min<std::uint64_t>(*max_failures_, kMostHosts));
    out.roll_back = !no_rollback_;
    return out;
  }

  /// What is to be shipped; `archive` holds the bytes it refers to.
  Result<ReleaseWish> wish_for(const Workspace& workspace, std::string& archive) const {
    if (!image_.empty()) {
      if (!artifact_.empty()) {
        return Error("deploy.two-artefacts", "--artifact and --image name two artefacts", "pass one of them",
                     ExitCode::kUsage);
      }
      ReleaseWish wish;
      SENTINEL_TRY(wish.artefact, parse_image_reference(image_));
      return wish;
    }
    SENTINEL_TRY(archive, read_artefact(workspace));
    auto wish = wish_of_archive(archive);
    if (!wish.ok()) return std::move(wish).error().exits(ExitCode::kUsage).during("reading the artefact");
    for (const auto& [digest, bytes] : wish->contents) {
      if (bytes.size() <= kMaxContent) continue;
      return Error(
          "deploy.too-large",
          fmt::format("a part of the artefact has {} MiB; {} MiB can be sent", bytes.size() >> 20, kMaxContent >> 20),
          "have the hosts pull the image: --image", ExitCode::kUsage);
    }
    return wish;
  }

  Result<std::string> read_artefact(const Workspace& workspace) const {
    std::string path = artifact_;
    if (path.empty()) {
      const Node* declared = workspace.project.app.find("artifact");
      if (declared == nullptr) {
        return Error("deploy.no-artifact", "which artefact?",
                     "pass --artifact PATH, or set app.artifact in the project", ExitCode::kUsage);
      }
      path = declared->text.starts_with('/') ? declared->text : workspace.project.directory + "/" + declared->text;
    }
    auto bytes = read_whole_file(path, kLargestArtefact);
    if (!bytes.ok()) return std::move(bytes).error().exits(ExitCode::kUsage).during("reading the artefact");
    if (bytes.ok() && bytes->size() > kLargestShipped) {
      return Error("deploy.too-large",
                   fmt::format("{} has {} MiB; {} are the most", path, bytes->size() >> 20, kLargestShipped >> 20),
                   "strip the program; an image can be pulled by the hosts: --image", ExitCode::kUsage);
    }
    return bytes;
  }

  std::string artifact_;
  std::string image_;
  std::string release_;
  std::optional<std::uint64_t> health_timeout_;
  std::optional<std::uint64_t> canary_;
  std::optional<std::uint64_t> wave_;
  std::optional<std::uint64_t> max_failures_;
  bool no_rollback_ = false;
  bool drain_wait_ = false;
};

}  // namespace

std::unique_ptr<Subcommand> make_deploy_command() {
  return std::make_unique<DeployCommand>();
}

}  // namespace sentinel
