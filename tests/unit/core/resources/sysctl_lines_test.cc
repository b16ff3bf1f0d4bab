// SPDX-License-Identifier: Apache-2.0
// Lines of others that win at boot, and turning lines into comments.
#include "core/resources/sysctl_lines.h"

#include <catch2/catch.hpp>

#include "core/resources/foreign_file.h"
#include "tests/support/fake_system.h"

namespace sentinel {

TEST_CASE("lines become comments that say why, all else stays byte for byte") {
  CHECK(comment_out("a\r\nb\n\nc", {2, 4}, "why") == "a\r\n# why: b\n\n# why: c");
  CHECK(comment_out("a\n", {}, "why") == "a\n");
  CHECK(comment_out("", {1}, "why").empty());
}

TEST_CASE("both ways to write a key, and what isn't an assignment") {
  const auto lines = parse_sysctl(
      "# c\n; d\n\nnet/ipv4/conf/eth0.1/rp_filter = 1\n-net.ipv4.tcp_rmem=4096\t1 2 \r\nodd\nkernel.x =\n", "/f");
  CHECK(lines == std::vector<SysctlLine>{{"net.ipv4.conf.eth0/1.rp_filter", "1", "/f", 4},
                                         {"net.ipv4.tcp_rmem", "4096 1 2", "/f", 5},
                                         {"kernel.x", "", "/f", 7}});
  CHECK(folded(" a \t b\n") == "a b");
}

TEST_CASE("only files that are read later and can be edited count, each behind its link") {
  FakeSystem machine;
  machine.put_file("/etc/sysctl.d/10-a.conf", "net.x = 0\n");
  machine.put_file("/etc/sysctl.d/60-ours.conf", "net.x = 1\n");
  machine.put_file("/etc/sysctl.d/70-b.conf.bak", "net.x = 0\n");
  machine.put_file("/etc/sysctl.d/80-c.conf", "net.x = 1\nnet.y = 0\nnet.* = 0\n");
  machine.put_file("/etc/sysctl.conf", "#net.x = 0\nnet.x=2\n");
  machine.put_link("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
  machine.put_link("/etc/sysctl.d/99-gone.conf", "/usr/lib/sysctl.d/gone.conf");
  machine.put_file("/etc/ufw/sysctl.conf", "net/x=3\n");
  const auto later = later_lines("/etc/sysctl.d/60-ours.conf", {{"net.x", "1"}}, machine);
  REQUIRE(later.ok());
  CHECK(*later ==
        std::vector<SysctlLine>{{"net.x", "2", "/etc/sysctl.conf", 2}, {"net.x", "3", "/etc/ufw/sysctl.conf", 1}});
}

}  // namespace sentinel
