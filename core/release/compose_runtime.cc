// SPDX-License-Identifier: Apache-2.0
#include "core/release/compose_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/file.h"
#include "core/base/tar.h"
#include "core/model/json.h"
#include "core/release/store.h"

namespace sentinel {
namespace {

constexpr const char* kLabel = "sentinel.release";
constexpr uid_t kUser = 65532;  // of the program in its container: templates/app/compose.yaml.j2
constexpr std::chrono::seconds kEndOfCandidate{5};
constexpr std::chrono::seconds kBeginOfFormer{60};
constexpr std::chrono::seconds kSilence{10};  // of a container that runs, until it is taken for stuck
constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::seconds kSystemdRun{20};
// What docker waits beyond the drain budget, as systemd does for units.
constexpr std::uint32_t kStopMargin = 15;

std::string container_of(const Release& release) {
  return fmt::format("{}-{}", release.app, release.id);
}

std::string image_of(const Release& release) {
  return fmt::format("{}:{}", release.app, release.id);
}

std::string directory_of(const Release& release) {
  return ReleasePaths::sockets(release.app) + "/" + release.id;
}

std::string link_of(const std::string& app) {
  return ReleasePaths::sockets(app) + "/current";
}

std::string boot_entry(const std::string& app) {
  return fmt::format("/etc/tmpfiles.d/{}-app.conf", app);
}

// tmpfiles.d(5). A bind mount needs its directory when the engine starts the container, long after this.
std::string boot_text(const Release& release) {
  return fmt::format(
      "# Where the release in force listens, and the link that the server in front goes by.\n"
      "d {0} 0755 root root -\nd {0}/{1} 0755 {2} {2} -\nL+ {0}/current - - - - {1}\n",
      ReleasePaths::sockets(release.app), release.id, kUser);
}

Result<void> remove_files(System& machine, const std::string& directory) {
  SENTINEL_TRY(const auto names, machine.list(directory));
  for (const auto& name : names) SENTINEL_CHECK(machine.remove_file(directory + "/" + name));
  return {};
}

}  // namespace

std::string label_of(const Release& release) {
  return fmt::format("{}={}/{}", kLabel, release.app, release.id);
}

Result<void> ComposeRuntime::check(const Release&) {
  return docker_.check();
}

Result<void> ComposeRuntime::ensure_directories(const Release& release) {
  SENTINEL_CHECK(machine_.make_directory(ReleasePaths::sockets(release.app), {0, 0, 0755}));
  SENTINEL_CHECK(machine_.make_directory(directory_of(release), {kUser, kUser, 0755}));
  SENTINEL_CHECK(machine_.make_directory(fmt::format("/var/lib/{}-app", release.app), {kUser, kUser, 0750}));
  const auto configuration = "/etc/" + release.app;
  SENTINEL_TRY(const auto there, machine_.status(configuration));
  if (there.type != FileType::kAbsent) return {};
  return machine_.make_directory(configuration, {0, kUser, 0750});
}

Result<void> ComposeRuntime::load_image(const Release& release) {
  const auto& parts = release.artefact.parts;
  const auto name_of = [](const ContentRef& part) { return part.digest + ".part"; };
  std::vector<std::string> layers;
  std::map<std::string, std::string> files;
  for (const auto& part : parts) {
    SENTINEL_TRY(files[name_of(part)], read_image_part(machine_, release.app, part.digest));
    if (&part != &parts.front()) layers.push_back(name_of(part));
  }
  const nlohmann::json image{{"Config", name_of(parts.front())},
                             {"RepoTags", std::vector<std::string>{image_of(release)}},
                             {"Layers", layers}};
  files["manifest.json"] = to_text(nlohmann::json::array({image}));
  std::vector<TarFile> entries;
  for (const auto& [name, bytes] : files) entries.push_back({name, 0644, bytes});
  SENTINEL_CHECK(docker_.load_image(write_tar(entries)));
  return {};
}

// The tag is this release's own, so that nothing that goes by tags removes or replaces its image, and it is looked for
// each time: a tag can be moved by hand.
Result<void> ComposeRuntime::ensure_image(const Release& release) {
  const auto& artefact = release.artefact;
  const auto wanted = artefact.reference.empty() ? "sha256:" + artefact.sha256 : artefact.reference;
  SENTINEL_TRY(const auto known, docker_.image(wanted));
  if (!known && artefact.reference.empty()) return load_image(release);
  if (!known) SENTINEL_CHECK(docker_.pull_image(artefact.reference));
  const bool tagged = known && std::find(known->tags.begin(), known->tags.end(), image_of(release)) != known->tags.end();
  if (!tagged) SENTINEL_CHECK(docker_.tag_image(wanted, release.app, release.id));
  return {};
}

// A container of this release that still ends its streams keeps doing so, under another name and away from the sockets.
Result<void> ComposeRuntime::set_aside(const Release& release) {
  const auto name = container_of(release);
  SENTINEL_TRY(const auto there, docker_.container(name));
  if (!there) return {};
  if (!there->running) {
    SENTINEL_CHECK(docker_.remove(name));
    return {};
  }
  SENTINEL_CHECK(docker_.rename(name, fmt::format("{}-{}", name, there->id.substr(0, 12))));
  return remove_files(machine_, directory_of(release));
}

Result<void> ComposeRuntime::prepare(const Release& next) {
  SENTINEL_CHECK(ensure_directories(next));
  SENTINEL_CHECK(ensure_image(next));
  return set_aside(next);
}

Result<void> ComposeRuntime::start(const Release& release) {
  // Compose takes every container of its project and service for its own to replace. A project per start: one that was
  // set aside stays.
  const auto project = fmt::format("{}-{}", release.app, std::chrono::system_clock::to_time_t(clock_.now()));
  return docker_.compose(project, ReleasePaths{release.app, release.id}.directory() + "/" + kReleaseCompose,
                         {"up", "--detach", "--no-build"});
}

Result<void> ComposeRuntime::start_candidate(const Release& next) {
  return start(next);
}

Result<Activity> ComposeRuntime::activity(const Release& release) {
  SENTINEL_TRY(const auto container, docker_.container(container_of(release)));
  Activity activity;
  if (!container) {
    activity.ended = "its container is gone";
    return activity;
  }
  activity.running = container->running;
  activity.restarts = container->restarts;
  activity.run = container->id + " " + container->started;
  // Of one that was never started it says the year 1.
  if (const auto started = unix_seconds(container->started); started && *started > 0) {
    const auto age = clock_.now().time_since_epoch() - std::chrono::seconds(*started);
    activity.age = std::chrono::duration_cast<std::chrono::milliseconds>(age);
  }
  if (container->ended) {
    activity.ended =
        fmt::format("it ended: status {}{}", container->exit_status, container->out_of_memory ? ", out of memory" : "");
  }
  return activity;
}

ReleaseEndpoint ComposeRuntime::endpoint(const Release& release) const {
  return {directory_of(release) + "/admin.sock"};
}

Result<void> ComposeRuntime::link(const std::string& app, const std::string& id) {
  const auto now = machine_.read_link(link_of(app));
  if (now.ok() && *now == id) return {};
  return machine_.make_link(link_of(app), id);
}

Result<void> ComposeRuntime::switch_to(const Release& next, const std::optional<Release>& former) {
  SENTINEL_CHECK(link(next.app, next.id));
  if (!former) return {};
  // Nobody finds it any more; this ends the connections that the server in front keeps to it, one by one.
  SENTINEL_TRY(const auto held, hold_release(admin_, endpoint(*former).socket, former->id));
  if (held == Held::kHangs) SENTINEL_CHECK(docker_.kill(container_of(*former)));
  return {};
}

Result<void> ComposeRuntime::serve_again(const Release& former) {
  SENTINEL_CHECK(ensure_directories(former));
  const auto name = container_of(former);
  const auto begun = clock_.since_boot();
  bool started = false;
  bool ended = false;
  while (true) {
    SENTINEL_TRY(const auto container, docker_.container(name));
    const bool running = container && container->running;
    auto told = tell_release(admin_, endpoint(former).socket, former.id, "accept", "accepting");
    if (running && told.ok()) return {};
    const auto waited = clock_.since_boot() - begun;
    if (waited >= kBeginOfFormer)
      return Error("release.former", name + " does not serve again: " + told.error().message);
    if (running && waited >= kSilence && !std::exchange(ended, true)) SENTINEL_CHECK(docker_.kill(name));
    if (!running && (!container || container->ended) && !std::exchange(started, true)) {
      if (container) SENTINEL_CHECK(docker_.start(name));
      if (!container) SENTINEL_CHECK(start(former));
    }
    clock_.sleep(kLook);
  }
}

Result<void> ComposeRuntime::stop(const Release& release, const std::string& container) {
  // A unit of its own: the drain takes longer than any rollout, and must end also when this process does.
  const auto unit = fmt::format("{}-stop-{}", release.app, container.substr(0, 12));
  SENTINEL_TRY(const auto begun,
               machine_.run({{"systemd-run", "--quiet", "--collect", "--no-block", "--unit=" + unit, "docker", "stop",
                              "-t", std::to_string(release.policy.drain_seconds + kStopMargin), container},
                             {},
                             {},
                             kSystemdRun,
                             {}}));
  const bool under_way = begun.errors.find("already") != std::string::npos;
  if (begun.status != 0 && !under_way) {
    return Error("release.docker", fmt::format("ending container {} failed: {}", container, begun.reason()));
  }
  return {};
}

Result<bool> ComposeRuntime::wait_for_end(const Release& release, std::chrono::seconds patience) {
  const auto deadline = clock_.since_boot() + patience;
  while (true) {
    SENTINEL_TRY(const auto running, docker_.labelled(label_of(release), true));
    if (running.empty()) return true;
    if (clock_.since_boot() >= deadline) return false;
    clock_.sleep(kLook);
  }
}

Result<void> ComposeRuntime::back(const Release& next, const std::optional<Release>& former) {
  if (former) {
    SENTINEL_CHECK(serve_again(*former));
    SENTINEL_CHECK(link(former->app, former->id));
  } else {
    SENTINEL_CHECK(machine_.remove_file(link_of(next.app)));
    SENTINEL_CHECK(machine_.remove_file(boot_entry(next.app)));
  }
  SENTINEL_CHECK(docker_.restart_policy(container_of(next), "no"));
  const auto held = hold_release(admin_, endpoint(next).socket, next.id);
  if (held.ok() && *held == Held::kHangs) SENTINEL_CHECK(docker_.kill(container_of(next)));
  SENTINEL_TRY(const auto running, docker_.labelled(label_of(next), true));
  for (const auto& container : running) SENTINEL_CHECK(stop(next, container));
  // One that had the traffic ends its streams in its own time, and is forgotten by a later run.
  SENTINEL_TRY(const bool ended, wait_for_end(next, kEndOfCandidate));
  return ended ? forget(next) : Result<void>();
}

Result<void> ComposeRuntime::promote(const Release& next, const std::optional<Release>& former) {
  const auto path = boot_entry(next.app);
  const auto now = machine_.read_file(path);
  if (!now.ok() || *now != boot_text(next)) {
    SENTINEL_CHECK(machine_.replace_file(path, boot_text(next), {0, 0, 0644}));
  }
  SENTINEL_CHECK(docker_.restart_policy(container_of(next), "unless-stopped"));
  if (former) SENTINEL_CHECK(docker_.restart_policy(container_of(*former), "no"));
  return link(next.app, next.id);
}

Result<void> ComposeRuntime::drain(const Release& release, bool wait) {
  SENTINEL_TRY(const auto running, docker_.labelled(label_of(release), true));
  for (const auto& container : running) SENTINEL_CHECK(stop(release, container));
  if (!wait) return {};
  SENTINEL_TRY(const bool ended,
               wait_for_end(release, std::chrono::seconds(release.policy.drain_seconds + 2 * kStopMargin)));
  if (!ended) return Error("release.drain", container_of(release) + " has not ended yet");
  return {};
}

// One question to the engine for all of them; a release's directory of sockets goes last when it is forgotten.
Result<std::map<std::string, Remains>> ComposeRuntime::remains(const std::vector<Release>& releases) {
  SENTINEL_TRY(const auto containers, docker_.label_values(kLabel));
  std::map<std::string, Remains> out;
  for (const auto& release : releases) {
    const auto found = containers.find(release.app + "/" + release.id);
    SENTINEL_TRY(const auto directory, machine_.status(directory_of(release)));
    if (found != containers.end() && found->second) {
      out[release.id] = Remains::kRuns;
    } else if (found != containers.end() || directory.type != FileType::kAbsent) {
      out[release.id] = Remains::kLeftovers;
    }
  }
  return out;
}

Result<void> ComposeRuntime::forget(const Release& release) {
  SENTINEL_TRY(const auto containers, docker_.labelled(label_of(release), false));
  for (const auto& container : containers) SENTINEL_CHECK(docker_.remove(container));
  SENTINEL_CHECK(remove_files(machine_, directory_of(release)));
  return machine_.remove_directory(directory_of(release));
}

Result<void> ComposeRuntime::discard(const Release& release) {
  SENTINEL_TRY(const auto image, docker_.image(image_of(release)));
  if (!image) return {};
  // With its last tag an image goes as a whole, the name it was pulled by included.
  const bool last = image->tags.size() == 1;
  if (last) SENTINEL_CHECK(docker_.remove_image(image->id, true));
  if (!last) SENTINEL_CHECK(docker_.remove_image(image_of(release), false));
  return {};
}

std::vector<std::string> ComposeRuntime::log(const Release& release, std::size_t lines) {
  return docker_.log(container_of(release), lines);
}

}  // namespace sentinel
