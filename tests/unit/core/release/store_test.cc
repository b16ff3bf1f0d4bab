// SPDX-License-Identifier: Apache-2.0
// Parts of images on a host: written once, shared by releases, checked before going back, gone with the last release.
#include "core/release/store.h"

#include <catch2/catch.hpp>

#include "core/base/digest.h"
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
