// SPDX-License-Identifier: Apache-2.0
// Parts of images on a host: written once, shared by releases, checked before going back, gone with the last release.
// Headers of probes: filled on the host.
#include "core/release/store.h"

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/model/probe_headers.h"
#include "tests/support/fake_system.h"

using namespace sentinel;

namespace {

struct Bench {
  FakeSystem machine;
  HostState host{machine};
  ReleaseStore store{host};

  Bench() { REQUIRE(host.directory.prepare(machine).ok()); }

  Release release(const std::string& id, const std::vector<std::string>& parts) {
    Release out;
    out.id = id;
    out.app = "shop";
    out.runtime = RuntimeKind::kCompose;
    out.artefact.kind = Artefact::Kind::kImage;
    for (const auto& part : parts) out.artefact.parts.push_back({sha256_hex(part), false, part.size()});
    const Content compose("services: {}\n");
    REQUIRE(host.blobs.put(compose.serialize()).ok());
    out.files = {{kReleaseCompose, 0644, reference_to(compose)}};
    return out;
  }

  static std::string place(const std::string& part) { return "/opt/shop/images/" + sha256_hex(part); }
};

}  // namespace

TEST_CASE("the parts of images are shared by releases, and what nobody has goes") {
  Bench bench;
  for (const auto* part : {"config 1", "config 2", "layer"}) REQUIRE(bench.host.blobs.put(part).ok());
  AppReleases app;
  app.app = "shop";
  for (const auto* id : {"1", "2"}) {
    auto release = bench.release(id, {std::string("config ") + id, "layer"});
    release.tree_digest = bench.store.stage(release).value();
    CHECK(bench.store.verify(release).ok());
    app.releases.push_back({release, ReleaseState::kConfirmed, "", "", "", {}});
  }
  CHECK(bench.machine.bytes(Bench::place("layer")) == "layer");
  app.releases.erase(app.releases.begin());
  REQUIRE(bench.store.keep_image_parts(app).ok());
  CHECK(bench.machine.status(Bench::place("config 1"))->type == FileType::kAbsent);
  CHECK(bench.store.verify(app.releases.front().release).ok());

  bench.machine.put_file(Bench::place("layer"), "another");
  CHECK(bench.store.verify(app.releases.front().release).error().code == "release.altered");
  SECTION("a part that was altered is written anew by the next deploy") {
    auto third = bench.release("3", {"config 2", "layer"});
    REQUIRE(bench.store.stage(third).ok());
    CHECK(bench.machine.bytes(Bench::place("layer")) == "layer");
  }
}

TEST_CASE("a part that never came is no release") {
  Bench bench;
  const auto release = bench.release("1", {"config", "layer"});
  CHECK_FALSE(bench.store.stage(release).ok());
}

TEST_CASE("headers of probes get today's secrets on the host, and only there") {
  Bench bench;
  Content bearer("Bearer ");
  bearer.append(Hole{"KEY", {}});
  const auto headers = write_probe_headers({{"chat", {{"Authorization", bearer}, {"X-\"1\"", Content("a\"b")}}}});
  REQUIRE(bench.host.blobs.put(headers.serialize()).ok());
  auto release = bench.release("1", {});
  release.files.push_back({kReleaseHeaders, 0644, reference_to(headers)});
  for (const auto* name : {"chat", "ready"}) {
    release.policy.health.probes.push_back({name, ProbeKind::kVerify, HttpProbe{}, 1, 1, 1, 1});
  }
  REQUIRE(bench.store.stage(release).ok());
  SecretView secrets(bench.host.secrets, {{"KEY", false, "hex", 32}}, {{"KEY", Secret("s3\"cret\\")}});
  REQUIRE(bench.store.fill_private(release, secrets).ok());
  auto asked = release;
  REQUIRE(bench.store.give_headers(asked).ok());
  const auto& chat = std::get<HttpProbe>(asked.policy.health.probes[0].target);
  CHECK(chat.headers ==
        std::map<std::string, std::string>{{"Authorization", "Bearer s3\"cret\\"}, {"X-\"1\"", "a\"b"}});
  CHECK(std::get<HttpProbe>(asked.policy.health.probes[1].target).headers.empty());
  CHECK(bench.machine.status("/opt/shop/releases/1/probe-headers.json")->type == FileType::kAbsent);

  // What can't be read is told without what stands there.
  bench.machine.put_file("/var/lib/sentinel/releases/shop/1/probe-headers.json", "{\"chat\": s3cret}");
  const auto error = bench.store.give_headers(asked).error();
  CHECK((error.code == "release.headers" && error.message.find("s3cret") == std::string::npos));
}
