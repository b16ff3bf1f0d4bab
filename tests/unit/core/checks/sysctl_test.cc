// SPDX-License-Identifier: Apache-2.0
// What a kernel parameter will be after a reboot: files in their order, and who sets it without a file.
#include <catch2/catch.hpp>

#include "core/checks/probe.h"
#include "tests/support/fake_system.h"

using namespace sentinel;
using nlohmann::json;

namespace {

constexpr const char* kRedirects = "net.ipv4.conf.all.accept_redirects";

struct Host {
  Host() {
    machine.put_file("/etc/sysctl.d/60-sentinel.conf", "net.ipv4.conf.all.accept_redirects = 0\n");
    machine.put_file("/etc/ufw/ufw.conf", "# on\nENABLED=yes\n");
    machine.put_file(std::string("/proc/sys/net/ipv4/conf/all/accept_redirects"), "0\n");
    facts.virtualization = "kvm";
  }

  Host& with(const std::string& path, const std::string& text) {
    machine.put_file(path, text);
    return *this;
  }

  Host& with_docker() {
    machine.put_link("/etc/systemd/system/multi-user.target.wants/docker.service",
                     "/lib/systemd/system/docker.service");
    return *this;
  }

  Host& in_a_container() {
    facts.virtualization = "lxc";
    return *this;
  }

  json at_boot(const std::string& key = kRedirects) {
    Look look({machine, {}, {}, Secret("key"), {}});
    const auto seen = ask({"sysctl", {{"keys", {key}}}}, look, facts);
    INFO((seen.error ? seen.error->message : ""));
    REQUIRE_FALSE(seen.error);
    return seen.value.at(key).at("boot");
  }

  std::string value() { return at_boot().at("value").get<std::string>(); }

  FakeSystem machine;
  Facts facts;
};

const std::string kBack = "net/ipv4/conf/all/accept_redirects=1\n";
const std::string kUfw = "/etc/ufw/sysctl.conf";

}  // namespace

TEST_CASE("sysctl: a later file wins, and ufw's own comes last") {
  CHECK(Host().at_boot() == json{{"value", "0"}, {"file", "/etc/sysctl.d/60-sentinel.conf"}, {"line", 1}});
  CHECK(Host().with(kUfw, kBack).at_boot() == json{{"value", "1"}, {"file", kUfw}, {"line", 1}});
  CHECK(Host().with(kUfw, kBack).with("/etc/ufw/ufw.conf", "# off\nENABLED=no\n").value() == "0");
  CHECK(Host().with("/etc/sysctl.d/99-x.conf", kBack).value() == "1");
}

TEST_CASE("sysctl: turning forwarding on sets accept_redirects to 0, and Docker does that last") {
  const auto seen = Host().with(kUfw, kBack).with_docker().at_boot();
  CHECK(seen.at("value") == "0");
  CHECK(seen.at("line") == 0);
  CHECK(seen.at("file").get<std::string>().find("dockerd") == 0);
  // Where it is on already, Docker changes nothing.
  CHECK(Host().with("/etc/sysctl.d/99-x.conf", "net.ipv4.ip_forward=1\n").with(kUfw, kBack).with_docker().value() ==
        "1");
  CHECK(Host().with(kUfw, kBack + "net/ipv4/ip_forward=1\n").value() == "0");
  CHECK(Host().with(kUfw, kBack).with_docker().with("/etc/docker/daemon.json", "{\"ip-forward\": false}").value() ==
        "1");
  CHECK(Host()
            .with(kUfw, kBack)
            .with_docker()
            .with("/etc/systemd/system/docker.service.d/x.conf", "[Service]\nExecStart=dockerd --ip-forward=false\n")
            .value() == "1");
}

TEST_CASE("sysctl: turning forwarding off sets accept_redirects to 1, whatever the files say of it") {
  const std::string on = "net.ipv4.ip_forward=1\n";
  CHECK(Host().with("/etc/sysctl.d/10-x.conf", on).with(kUfw, "net/ipv4/conf/all/forwarding=0\n").at_boot() ==
        json{{"value", "1"}, {"file", kUfw}, {"line", 1}});
  // systemd-sysctl sets a parameter once, where it was named last: it never was on.
  CHECK(Host().with("/etc/sysctl.d/10-x.conf", on).with("/etc/sysctl.d/99-x.conf", "net.ipv4.ip_forward=0\n").value() ==
        "0");
}

TEST_CASE("sysctl: a container begins with forwarding on or off, nobody knows") {
  CHECK(Host().in_a_container().value() == "0");
  CHECK(Host().in_a_container().with(kUfw, kBack).with_docker().value() == "1");
  CHECK(Host().in_a_container().with("/etc/sysctl.d/99-x.conf", "net.ipv4.ip_forward=0\n").value() == "1");
  CHECK(Host().in_a_container().with("/etc/sysctl.d/10-x.conf", "net.ipv4.ip_forward=0\n").value() == "0");
}

TEST_CASE("sysctl: of a parameter that only a pattern names, the pattern counts; other parameters are left alone") {
  Host host;
  host.machine.erase("/etc/sysctl.d/60-sentinel.conf");
  CHECK(host.at_boot().is_null());
  host.with("/etc/sysctl.d/50-x.conf", "net.ipv4.conf.*.accept_redirects = 0\n").with_docker();
  CHECK(host.value() == "0");
  Host other;
  other.with("/etc/sysctl.d/50-x.conf", "net.ipv4.conf.default.accept_redirects = 1\n").with_docker();
  CHECK(other.at_boot("net.ipv4.conf.default.accept_redirects").at("value") == "1");
}
