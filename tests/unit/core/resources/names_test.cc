// SPDX-License-Identifier: Apache-2.0
// Paths, lines, account names and what is shown of a content.
#include "core/resources/names.h"

#include <catch2/catch.hpp>

#include "core/resources/accounts.h"

namespace sentinel {

TEST_CASE("usable paths are absolute and normal") {
  for (const char* good : {"/", "/etc", "/etc/a b", "/etc/..a", "/etc/a..", "/etc/.hidden", "/ä"}) {
    CAPTURE(good);
    CHECK(check_path(good).ok());
  }
  for (const std::string bad : {"", "etc", "./etc", "/etc/", "//etc", "/etc//x", "/etc/.", "/etc/./x", "/etc/..",
                                "/../etc", "/etc/\n", "/etc/\x7f"}) {
    CAPTURE(bad);
    CHECK(check_path(bad).error().code == "resource.bad-path");
  }
  CHECK_FALSE(check_path(std::string("/etc/\0x", 7)).ok());
}

TEST_CASE("lines have no control characters but tabs") {
  CHECK(check_line("x", "a\tb ä").ok());
  CHECK(check_line("x", "a\nb").error().code == "resource.bad-line");
  CHECK(check_line("x", std::string("a\0b", 3)).error().code == "resource.bad-line");
  CHECK(check_line("x", "\x1b[31m").error().code == "resource.bad-line");
}

TEST_CASE("text is shown, anything else is named") {
  CHECK(shown(std::string("a\nä\t\xf0\x9f\x8c\x8d")) == "a\nä\t\xf0\x9f\x8c\x8d");
  CHECK(shown(std::string("")).empty());
  for (const std::string bytes : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x01",
                                  "\xe0\x80\x80", "\xf0\x80\x80\x80"}) {
    CHECK(shown(bytes).starts_with("(binary, "));
  }
  CHECK(shown(std::string(64 << 10, 'x')).size() == 64 << 10);
  CHECK(shown(std::string((64 << 10) + 1, 'x')).starts_with("(text, 65537 bytes, sha256 "));
  CHECK(shown_mode(0) == "0000");
  CHECK(shown_mode(04755) == "4755");
}

TEST_CASE("account files are read as the C library reads them") {
  const auto accounts = parse_accounts(
      "root:x:0:0:root:/root:/bin/bash\n# "
      "comment\nbroken:x:1\nbad:x:one:1::/:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nneg:x:-1:0::/:/bin/sh\n"
      "last:x:4294967294:100::/:",
      "root:x:0:\nadm:x:4:a,b,,c\nadm:x:5:\nbroken:x\n");
  REQUIRE(accounts.users.size() == 3);
  CHECK(accounts.user_name(0) == "root");
  CHECK(accounts.user_name(7) == "7");
  CHECK(accounts.user("last")->shell.empty());
  CHECK(accounts.group("adm")->gid == 4);
  CHECK(accounts.group("adm")->members == std::vector<std::string>{"a", "b", "c"});
  CHECK(*accounts.uid_of("toor") == 0);
  CHECK(*accounts.uid_of("12") == 12);
  CHECK(accounts.uid_of("nobody").error().code == "resource.no-user");
  CHECK(accounts.uid_of("").error().code == "resource.no-user");
  CHECK(accounts.uid_of("99999999999").error().code == "resource.no-user");
  CHECK(accounts.gid_of("x y").error().code == "resource.no-group");
}

TEST_CASE("account names are those useradd takes") {
  for (const char* good : {"a", "_apt", "www-data", "systemd-network", "u1"}) CHECK(is_account_name(good));
  for (const std::string bad :
       {"", "A", "1u", "-x", "a b", "a:b", "a,b", "a\n", "ä", "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_account_name(bad));
  }
}

}  // namespace sentinel
