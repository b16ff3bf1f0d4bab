// SPDX-License-Identifier: Apache-2.0
// Images as archives: taken apart by digest, and whatever is not one whole image refused.
#include "core/model/image.h"

#include <catch2/catch.hpp>

#include "core/base/digest.h"
#include "core/model/json.h"

using namespace sentinel;

namespace {

struct Parts {
  std::string layer = "the only layer";
  nlohmann::json config{{"architecture", "amd64"},
                        {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + sha256_hex("the only layer")}}}}};
  nlohmann::json manifest =
      nlohmann::json::array({{{"Config", "c.json"}, {"RepoTags", {"shop/app:1.2"}}, {"Layers", {"l/layer.tar"}}}});

  std::string archive() const {
    const auto configuration = config.dump();
    const auto index = manifest.dump();
    return write_tar({{"c.json", 0644, configuration}, {"l/layer.tar", 0644, layer}, {"manifest.json", 0644, index}});
  }
};

}  // namespace

TEST_CASE("an image is its configuration and its layers, by digest") {
  const Parts parts;
  const auto archive = parts.archive();
  const auto image = read_image(archive).value();
  CHECK(image.artefact.kind == Artefact::Kind::kImage);
  CHECK(image.artefact.name == "shop/app");
  CHECK(image.artefact.version == "1.2");
  CHECK(image.architecture == "x86_64");
  CHECK(image.artefact.sha256 == sha256_hex(parts.config.dump()));
  REQUIRE(image.artefact.parts.size() == 2);
  CHECK(image.artefact.parts[0].digest == image.artefact.sha256);
  CHECK(image.parts.at(sha256_hex(parts.layer)) == parts.layer);
  CHECK(image.artefact.size == parts.layer.size() + parts.config.dump().size());
  CHECK(is_image(read_tar(archive).value()));
}

TEST_CASE("what is not one whole image is refused") {
  Parts parts;
  const auto refused = [&] {
    const auto archive = parts.archive();
    const auto image = read_image(archive);
    REQUIRE_FALSE(image.ok());
    CHECK(image.error().code == "image.malformed");
  };
  SECTION("a layer that is another one, as a compressed one is") {
    parts.layer = "another";
  }
  SECTION("two images") {
    parts.manifest.push_back(parts.manifest[0]);
  }
  SECTION("no image") {
    parts.manifest = nlohmann::json::array();
  }
  SECTION("a layer too few") {
    parts.manifest[0]["Layers"] = nlohmann::json::array();
  }
  SECTION("a layer that is missing") {
    parts.manifest[0]["Layers"][0] = "nowhere";
  }
  SECTION("a configuration that is missing") {
    parts.manifest[0]["Config"] = "nowhere";
  }
  SECTION("a configuration without layers") {
    parts.config.erase("rootfs");
  }
  SECTION("a manifest of another form") {
    parts.manifest[0]["Layers"] = 3;
  }
  refused();
}

TEST_CASE("an image in a registry is named by its digest") {
  const std::string digest(64, 'a');
  const auto artefact = parse_image_reference("registry.example:5000/shop/app:1.2@sha256:" + digest).value();
  CHECK(artefact.name == "registry.example:5000/shop/app");
  CHECK(artefact.version == "1.2");
  CHECK(artefact.sha256 == digest);
  CHECK(parse_image_reference("app@sha256:" + digest)->version == digest.substr(0, 12));
  for (const std::string& wrong :
       std::vector<std::string>{"app:1.2", "app@sha256:abc", "@sha256:" + digest, "-x@sha256:" + digest,
                                "a b@sha256:" + digest, "app@sha256:" + std::string(64, 'G')}) {
    CHECK(parse_image_reference(wrong).error().code == "image.reference");
  }
}
