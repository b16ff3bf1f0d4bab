// SPDX-License-Identifier: Apache-2.0
// A secret's step writes a content that is nothing but the secret's own hole, so the executor needs no other way to
// write one.
#include "core/engine/secret_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/resources/look.h"

namespace sentinel {
namespace {

constexpr std::size_t kHostKeyBytes = 32;

std::string encode(const std::string& bytes, const std::string& encoding) {
  return encoding == "base64" ? base64_encode(bytes) : to_hex(bytes);
}

}  // namespace

SecretStore::SecretStore(System& machine, StateDirectory directory)
    : machine_(machine), directory_(std::move(directory)) {}

Result<Secret> SecretStore::host_key() {
  if (host_key_) return *host_key_;
  auto bytes = machine_.read_file(directory_.host_key());
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") {
    bytes = random_bytes(kHostKeyBytes);
    SENTINEL_CHECK(machine_.replace_file(directory_.host_key(), *bytes, {0, 0, 0600}));
  }
  if (!bytes.ok()) return std::move(bytes).error().during("reading the host key");
  if (bytes->size() != kHostKeyBytes) {
    return Error(
        "secret.host-key-damaged", fmt::format("{} does not hold {} bytes", directory_.host_key(), kHostKeyBytes),
        "restore it from a backup; without it, contents with secrets can't be compared with what was recorded");
  }
  host_key_ = Secret(std::move(bytes).value());
  return *host_key_;
}

Result<std::optional<Secret>> SecretStore::read(const std::string& name) {
  auto bytes = machine_.read_file(path_of(name));
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") return std::optional<Secret>();
  if (!bytes.ok()) return std::move(bytes).error().during("reading secret " + name);
  return std::optional<Secret>(Secret(std::move(bytes).value()));
}

Result<std::vector<std::string>> SecretStore::names() {
  SENTINEL_TRY(auto found, machine_.list(directory_.secrets()));
  std::erase_if(found, [](const std::string& name) { return !is_secret_name(name); });
  return found;
}

bool is_secret_name(const std::string& name) {
  return !name.empty() && name.size() <= 128 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
                  c == '.';
         });
}

SecretView::SecretView(SecretStore& store, std::vector<SecretSpec> specs, SecretValues given)
    : store_(store), specs_(std::move(specs)), values_(std::move(given)) {}

const Secret* SecretView::find(const std::string& name) {
  if (const auto given = values_.find(name); given != values_.end()) return &given->second;
  if (const auto cached = stored_.find(name); cached != stored_.end()) return &cached->second;
  auto stored = store_.read(name);
  if (!stored.ok() || !*stored) return nullptr;
  return &stored_.emplace(name, std::move(**stored)).first->second;
}

Result<void> SecretView::generate_missing() {
  for (const auto& spec : specs_) {
    if (!spec.generated || values_.count(spec.name) > 0) continue;
    SENTINEL_TRY(const auto stored, store_.read(spec.name));
    if (!stored) values_.emplace(spec.name, Secret(encode(random_bytes(spec.bytes), spec.encoding)));
  }
  return {};
}

Result<nlohmann::json> SecretView::observe(const SecretSpec& spec, const Secret& host_key) {
  SENTINEL_TRY(const auto stored, store_.read(spec.name));
  nlohmann::json state = {{"value", nullptr}};
  if (stored) state["value"] = sensitive_name(host_key, stored->reveal());
  return state;
}

Result<Step> SecretView::plan(const SecretSpec& spec, BlobStore& blobs) {
  Step step;
  step.id = "secret/" + spec.name;
  step.kind = "secret";
  step.title = "secret " + spec.name;
  SENTINEL_TRY(const auto stored, store_.read(spec.name));
  const auto given = values_.find(spec.name);
  if (given == values_.end() && !spec.generated && !stored) {
    return Error("secret.no-value",
                 fmt::format("secret {} has no value: none came with the request and the host has none", spec.name),
                 "give it a source under `secrets:` in the project file");
  }
  const bool same = stored && (given == values_.end() || *stored == given->second);
  if (same) return step;
  Content content;
  content.append(Hole{spec.name, {}});
  SENTINEL_CHECK(blobs.put(content.serialize()));
  const auto path = store_.path_of(spec.name);
  step.changes.push_back({"value", stored ? "(secret)" : "", spec.generated ? "(generated)" : "(new secret)", true});
  step.actions.push_back(WriteFile{path, reference_to(content), "0", "0", 0600});
  if (stored) {
    step.undo = std::vector<Action>{WriteFile{path, {}, "0", "0", 0600}};
  } else {
    step.undo = std::vector<Action>{RemoveFile{path}};
  }
  return step;
}

}  // namespace sentinel
