// SPDX-License-Identifier: Apache-2.0
// Hooks as real programs: their order, environment and directory; what stops, what doesn't, and that nothing outlives
// its time.
#include "cli/hooks.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <filesystem>

#include <catch2/catch.hpp>

#include "core/base/descriptor.h"
#include "core/base/file.h"

namespace sentinel {
namespace {

class Scene {
 public:
  Scene() {
    char name[] = "/tmp/sentinel-hooks-XXXXXX";
    project.directory = mkdtemp(name);
    project.name = "demo";
  }

  ~Scene() { std::filesystem::remove_all(project.directory); }

  static std::vector<std::string> shell(const std::string& text) { return {"sh", "-c", text}; }

  std::string file(const std::string& name) const {
    return read_whole_file(project.directory + "/" + name).value_or("");
  }

  Project project;
};

}  // namespace

TEST_CASE("hooks run in order, in the project's directory, and are told of the release") {
  Scene scene;
  setenv("SENTINEL_RELEASE", "from outside", 1);
  setenv("OPERATORS_OWN", "kept", 1);
  scene.project.hooks.post_deploy = {
      Scene::shell(
          "echo $SENTINEL_HOOK,$SENTINEL_PROJECT,$SENTINEL_RELEASE,$SENTINEL_HOSTS,$SENTINEL_HOST,$SENTINEL_OUTCOME >> "
          "log"),
      Scene::shell("env | grep -c ^SENTINEL_RELEASE= >> log; echo $OPERATORS_OWN >> log; cat >> log; echo end >> log")};
  CHECK(run_hooks(scene.project, HookMoment::kPostDeploy, {"7", {"a", "b"}, "changed"}, -1).empty());
  CHECK(scene.file("log") == "post_deploy,demo,7,a b,,changed\n1\nkept\nend\n");
  unsetenv("SENTINEL_RELEASE");
  scene.project.hooks.on_rollback = {Scene::shell("echo $SENTINEL_HOST > one")};
  CHECK(run_hooks(scene.project, HookMoment::kOnRollback, {"7", {"a"}, "reverted"}, -1).empty());
  CHECK(scene.file("one") == "a\n");
}

TEST_CASE("a hook before that fails is the last; after, all are run") {
  Scene scene;
  const HookCommands commands{Scene::shell("exit 3"), Scene::shell("echo x >> log"), {"no-such-program"}};
  scene.project.hooks.pre_deploy = commands;
  scene.project.hooks.post_deploy = commands;
  const Errors before = run_hooks(scene.project, HookMoment::kPreDeploy, {}, -1);
  REQUIRE(before.size() == 1);
  CHECK(before[0].code == "hooks.failed");
  CHECK(before[0].message == "the pre_deploy hook 'sh' ended with status 3");
  CHECK(scene.file("log").empty());
  const Errors after = run_hooks(scene.project, HookMoment::kPostDeploy, {}, -1);
  REQUIRE(after.size() == 2);
  CHECK(after[1].message == "the post_deploy hook 'no-such-program' can't be started, or ended with status 127");
  CHECK(scene.file("log") == "x\n");
}

TEST_CASE("a hook that hangs is killed with what it started") {
  Scene scene;
  scene.project.hooks.pre_connect = {Scene::shell("sleep 1000 & echo $! > child; wait")};
  const Errors errors = run_hooks(scene.project, HookMoment::kPreConnect, {}, -1, std::chrono::milliseconds(500));
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].message == "the pre_connect hook 'sh' did not end within 0.5 s");
  const pid_t child = std::stoi(scene.file("child"));
  // It was killed; who adopted it may need a moment to reap it.
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    const auto state = read_whole_file("/proc/" + std::to_string(child) + "/stat");
    gone = !state.ok() || state->find(") Z ") != std::string::npos;
    usleep(50'000);
  }
  CHECK(gone);
}

TEST_CASE("an operator who gives up ends the hook, and one that dies says how") {
  Scene scene;
  const Descriptor interrupted(eventfd(1, EFD_CLOEXEC));
  scene.project.hooks.pre_deploy = {Scene::shell("sleep 1000")};
  const Error error = run_hooks(scene.project, HookMoment::kPreDeploy, {}, interrupted.get()).at(0);
  CHECK(error.message == "the pre_deploy hook 'sh' was interrupted");
  CHECK(error.exit == ExitCode::kInterrupted);
  scene.project.hooks.pre_deploy = {Scene::shell("kill -TERM $$")};
  CHECK(run_hooks(scene.project, HookMoment::kPreDeploy, {}, -1).at(0).message ==
        "the pre_deploy hook 'sh' was ended by signal 15");
}

}  // namespace sentinel
