// SPDX-License-Identifier: Apache-2.0
#include "proxy/net/listen.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

using namespace sentinel;
using namespace sentinel::proxy;

namespace {

using Kind = ListenAddress::Kind;

struct Folder {
  Folder() { REQUIRE(mkdtemp(path) != nullptr); }

  ~Folder() { rmdir(path); }

  char path[64] = "/tmp/sentinel-listen-XXXXXX";
};

}  // namespace

TEST_CASE("An address to listen on is read, whatever its kind") {
  CHECK(*parse_listen_address("127.0.0.1:8080") == ListenAddress{Kind::kTcp, "127.0.0.1", 8080});
  CHECK(*parse_listen_address("[::1]:0") == ListenAddress{Kind::kTcp, "::1", 0});
  CHECK(*parse_listen_address("unix:/run/a:b.sock") == ListenAddress{Kind::kUnix, "/run/a:b.sock", 0});
  CHECK(*parse_listen_address("fd:app.socket#2") == ListenAddress{Kind::kInherited, "app.socket#2", 0});
}

TEST_CASE("What is no address to listen on is a mistake of usage") {
  for (const char* text : {"", "8080", ":8080", "localhost:80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                           "::1:80", "[127.0.0.1]:80", "unix:", "unix:relative", "fd:"}) {
    INFO(text);
    const Result<ListenAddress> address = parse_listen_address(text);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().exit == ExitCode::kUsage);
  }
  CHECK_FALSE(parse_listen_address("unix:/" + std::string(200, 'a')).ok());
}

TEST_CASE("A unix socket replaces one that nobody serves, not one that somebody does, and removes only itself") {
  const Folder folder;
  const std::string path = std::string(folder.path) + "/s";
  {
    Result<UnixListener> first = listen_unix(path, {{}, {}, 0640});
    REQUIRE(first.ok());

    struct stat info {};

    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0640);
    CHECK(listening_address(first->descriptor) == "unix:" + path);
    CHECK_FALSE(listen_unix(path, {}).ok());
    first->descriptor.close();  // as after a crash: the file is left
    Result<UnixListener> second = listen_unix(path, {});
    REQUIRE(second.ok());
    first = std::move(second);  // the first one's file is not the second's
    CHECK(stat(path.c_str(), &info) == 0);
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("A file that is no socket is left alone") {
  const Folder folder;
  CHECK_FALSE(listen_unix(folder.path, {}).ok());
  CHECK_FALSE(listen_unix(std::string(folder.path) + "/s", {"no-such-user", {}, 0600}).ok());
}

TEST_CASE("Descriptors meant for another process are not touched") {
  InheritedSockets sockets("1", "1", "api");
  CHECK_FALSE(sockets.take("api").ok());
}
