// SPDX-License-Identifier: Apache-2.0
// A plan as a person reads it.
#include "core/report/plan_text.h"

#include <catch2/catch.hpp>

namespace sentinel {
namespace {

Step step(const std::string& id, Risk risk, std::vector<Change> changes) {
  Step made;
  made.id = id;
  made.kind = "file";
  made.title = "title of " + id;
  made.risk = risk;
  made.changes = std::move(changes);
  return made;
}

HostPlan host_with(std::vector<Step> steps) { return HostPlan{"web-1", Plan{"web-1", "", std::move(steps), 7}, {}}; }

TEST_CASE("Steps show their mark, risk, values, diffs and effects") {
  Step changed = step("ssh/drop-in", Risk::kLockout, {{"mode", "0600", "0644", false}, {"content", "a\nb\n", "a\nc\n", false}});
  changed.effects = {Effect{Effect::Kind::kReload, "ssh.service"}};
  const HostPlan host = host_with({step("users/deploy", Risk::kNone, {{"shell", "", "/bin/bash", false}}), changed,
                                   step("old/file", Risk::kService, {{"file", "present", "absent", false}})});
  CHECK(plan_text({host}, {}) ==
        "web-1: 3 steps to take (7 already so)\n"
        "  + users/deploy  title of users/deploy\n"
        "      shell: /bin/bash\n"
        "  ~ ssh/drop-in  title of ssh/drop-in  [lockout]\n"
        "      mode: 0600 -> 0644\n"
        "      content:\n"
        "        @@ -1,2 +1,2 @@\n"
        "         a\n"
        "        -b\n"
        "        +c\n"
        "      then reload ssh.service\n"
        "  - old/file  title of old/file  [service]\n"
        "      file: present -> absent\n");
}

TEST_CASE("Hosts in sync and hosts without a plan have a line of their own") {
  const HostPlan same{"a", Plan{"a", "", {}, 40}, {}};
  const HostPlan failed{"b", std::nullopt, {Error("x", "y")}};
  CHECK(plan_text({same, failed}, {}) == "a: nothing to change (40 already so)\nb: no plan\n");
  CHECK(plan_summary({same, failed}) == "Nothing to change, 1 host in sync, 1 host without a plan.\n");
}

TEST_CASE("Long diffs are cut unless everything is asked for") {
  std::string content;
  for (int i = 0; i < 100; ++i) content += "line " + std::to_string(i) + "\n";
  const HostPlan host = host_with({step("a/b", Risk::kNone, {{"content", "", content, false}})});
  CHECK(plan_text({host}, {}).find("… 61 more lines (-v shows all)") != std::string::npos);
  CHECK(plan_text({host}, {Style{}, true}).find("+line 99") != std::string::npos);
}

TEST_CASE("A sensitive change is never shown as a diff") {
  const HostPlan host = host_with({step("a/b", Risk::kNone, {{"content", "(not\nshown)", "(secret content)", true}})});
  CHECK(plan_text({host}, {}).find("content: (not\\nshown) -> (secret content)") != std::string::npos);
}

TEST_CASE("What a host says can't drive the terminal") {
  const HostPlan host = host_with({step("a/\x1b[2J", Risk::kNone, {{"mode\r", "\x1b]0;x\x07", "b\n\x1b[1A", false}})});
  const std::string text = plan_text({host}, {});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
}

TEST_CASE("Everything that can't be undone is named with its reason") {
  Step gone = step("docker/upgrade", Risk::kIrreversible, {{"version", "1", "2", false}});
  gone.undo = Irreversible{"upgrades can't be taken back"};
  const std::vector<HostPlan> hosts = {host_with({gone, step("b/c", Risk::kLockout, {{"x", "1", "2", false}})})};
  CHECK(irreversible_text(hosts, {}) ==
        "These steps can't be undone:\n  web-1 docker/upgrade: upgrades can't be taken back\n");
  CHECK(plan_summary(hosts) ==
        "2 steps on 1 host; 1 step could lock you out and is reverted unless confirmed over a new connection.\n");
  CHECK(irreversible_text({host_with({})}, {}).empty());
}

}  // namespace
}  // namespace sentinel
