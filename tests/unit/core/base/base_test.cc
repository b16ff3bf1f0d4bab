// SPDX-License-Identifier: Apache-2.0
// The base: files that survive, digests that are right, secrets that don't print, words that are near.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <type_traits>

#include <catch2/catch.hpp>

#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/base/secret.h"
#include "core/base/suggest.h"
#include "core/base/temporary_name.h"

namespace sentinel {
namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_("/tmp/sentinel-base-" + to_hex(random_bytes(8))) { ::mkdir(path_.c_str(), 0700); }

  ~TemporaryDirectory() {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) ::unlink(entry.path().c_str());
    ::rmdir(path_.c_str());
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct stat status_of(const std::string& path) {
  struct stat info {};

  ::lstat(path.c_str(), &info);
  return info;
}

}  // namespace

TEST_CASE("a replaced file has the new bytes and attributes and leaves nothing beside it") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  REQUIRE(replace_file(path, "one", {getuid(), getgid(), 0640}).ok());
  REQUIRE(replace_file(path, "two", {getuid(), getgid(), 0600}).ok());
  CHECK(read_whole_file(path).value() == "two");
  CHECK((status_of(path).st_mode & 07777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

TEST_CASE("replacing a link replaces the link, not what it points to") {
  const TemporaryDirectory directory;
  const std::string target = directory.path() + "/target";
  const std::string link = directory.path() + "/link";
  REQUIRE(replace_file(target, "kept", {getuid(), getgid(), 0600}).ok());
  REQUIRE(::symlink("target", link.c_str()) == 0);
  REQUIRE(replace_file(link, "new", {getuid(), getgid(), 0600}).ok());
  CHECK(read_whole_file(target).value() == "kept");
  CHECK(S_ISREG(status_of(link).st_mode));
}

TEST_CASE("a file that can't be replaced is an error that leaves no temporary file") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/is-a-directory";
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  const auto result = replace_file(path, "x", {getuid(), getgid(), 0600});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == "system.EISDIR");
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
  ::rmdir(path.c_str());
  CHECK(replace_file("/nonexistent-directory/x", "x", {}).error().code == "system.ENOENT");
}

TEST_CASE("a temporary name is in the same directory, told from others by its form, and known for one file only") {
  const auto path = temporary_name("/etc/a.conf");
  REQUIRE(path.starts_with("/etc/.a.conf."));
  const auto entry = path.substr(5);
  CHECK(is_temporary_name(entry, "a.conf"));
  CHECK(is_temporary_name(entry, ""));
  CHECK_FALSE(is_temporary_name(entry, "a"));
  CHECK_FALSE(is_temporary_name(entry, "b.conf"));
  CHECK_FALSE(is_temporary_name(entry.substr(1), "a.conf"));
  for (const char* other :
       {"", ".tmp", ".0123456789ab.tmp", "..0123456789ab.tmp", ".a.0123456789aB.tmp", ".a.0123456789ab.swp"}) {
    INFO(other);
    CHECK_FALSE(is_temporary_name(other, ""));
  }
  CHECK(temporary_name("/x").starts_with("/.x."));
}

TEST_CASE("reading stops at the limit and refuses directories") {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/file";
  REQUIRE(replace_file(path, std::string(1000, 'x'), {getuid(), getgid(), 0600}).ok());
  CHECK(read_whole_file(path, 1000).ok());
  CHECK(read_whole_file(path, 999).error().code == "file.too-large");
  CHECK(read_whole_file(directory.path()).error().code == "system.EISDIR");
}

TEST_CASE("digests equal the published test vectors") {
  // FIPS 180-2 "abc"; RFC 4231 case 2.
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hmac_sha256_hex(Secret("Jefe"), "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  CHECK(pieces.finish_hex() == sha256_hex("abc"));
}

TEST_CASE("base64 goes both ways and refuses what is malformed") {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\x00z"}) {
    CHECK(base64_decode(base64_encode(text)) == text);
  }
  for (const char* bad : {"a", "ab=c", "abc", "ab c", "====", "abcd\n"}) CHECK_FALSE(base64_decode(bad).has_value());
}

TEST_CASE("a secret can be compared and moved but not printed") {
  STATIC_REQUIRE_FALSE(fmt::is_formattable<Secret>::value);
  Secret secret("short");
  Secret moved(std::move(secret));
  CHECK(secret.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(moved == Secret("short"));
  CHECK_FALSE(moved == Secret("shorx"));
  CHECK_FALSE(moved == Secret("longer than that"));
}

TEST_CASE("suggestions are near or absent") {
  CHECK(did_you_mean("server_nmae", {"server_name", "port"}) == "did you mean 'server_name'?");
  CHECK(nearest("xyz", {"server_name"}).empty());
  CHECK(nearest("", {"a"}) == "a");
  CHECK(nearest("prot", {"port", "proto"}) == "port");
}

TEST_CASE("times are written as RFC 3339 in UTC with milliseconds") {
  CHECK(to_rfc3339(std::chrono::system_clock::time_point(std::chrono::milliseconds(1'769'847'330'007))) ==
        "2026-01-31T08:15:30.007Z");
}

TEST_CASE("a time is read as it was written, whatever digits its fraction has") {
  CHECK(unix_seconds("2026-11-26T10:00:01.250Z") == 1795687201);
  CHECK(unix_seconds("2026-11-26T10:00:01.123456789Z") == 1795687201);
  CHECK(unix_seconds("1970-01-01T00:00:00Z") == 0);
  CHECK_FALSE(unix_seconds("").has_value());
  CHECK_FALSE(unix_seconds("2026-02-30T10:00:00Z").has_value());
  CHECK_FALSE(unix_seconds("2026-11-26T10:00:01.250").has_value());
}

}  // namespace sentinel
