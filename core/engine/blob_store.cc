// SPDX-License-Identifier: Apache-2.0
#include "core/engine/blob_store.h"

#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/resources/look.h"

namespace sentinel {
namespace {

bool is_blob_name(std::string_view name) {
  return is_sensitive_name(name) ||
         (name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos);
}

}  // namespace

BlobStore::BlobStore(System& machine, StateDirectory directory) : machine_(machine), directory_(std::move(directory)) {}

Result<void> BlobStore::store(const std::string& name, std::string_view bytes) {
  if (has(name)) return {};
  return machine_.replace_file(directory_.blobs() + "/" + name, bytes, {0, 0, 0600});
}

Result<std::string> BlobStore::put(std::string_view bytes) {
  auto name = sha256_hex(bytes);
  SENTINEL_CHECK(store(name, bytes));
  return name;
}

Result<std::string> BlobStore::put_sensitive(std::string_view bytes, const Secret& host_key) {
  auto name = sensitive_name(host_key, bytes);
  SENTINEL_CHECK(store(name, bytes));
  return name;
}

Result<std::string> BlobStore::get(const std::string& name) {
  if (!is_blob_name(name)) return Error("blob.bad-name", fmt::format("'{}' does not name a blob", name));
  const auto path = directory_.blobs() + "/" + name;
  auto bytes = machine_.read_file(path);
  if (!bytes.ok() && bytes.error().code == "system.ENOENT") {
    return Error("blob.missing", fmt::format("content {} is not on this host", name));
  }
  if (!bytes.ok()) return std::move(bytes).error().during("reading blob " + name);
  if (!is_sensitive_name(name) && sha256_hex(*bytes) != name) {
    return Error("blob.corrupt", fmt::format("{} does not have the digest it is named by", path));
  }
  return bytes;
}

bool BlobStore::has(const std::string& name) {
  if (!is_blob_name(name)) return false;
  const auto found = machine_.status(directory_.blobs() + "/" + name);
  return found.ok() && found->type == FileType::kRegular;
}

Result<void> BlobStore::prune(const std::set<std::string>& referenced,
                              std::chrono::system_clock::time_point unused_before) {
  const auto limit = std::chrono::duration_cast<std::chrono::nanoseconds>(unused_before.time_since_epoch()).count();
  SENTINEL_TRY(const auto names, machine_.list(directory_.blobs()));
  for (const auto& name : names) {
    if (!is_blob_name(name) || referenced.count(name) > 0) continue;
    const auto path = directory_.blobs() + "/" + name;
    SENTINEL_TRY(const auto status, machine_.status(path));
    if (status.changed_ns < limit) SENTINEL_CHECK(machine_.remove_file(path));
  }
  return {};
}

void BlobStore::collect_names(const nlohmann::json& json, std::set<std::string>& names) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (is_blob_name(text)) names.insert(text);
  } else if (json.is_structured()) {
    for (const auto& item : json) collect_names(item, names);
  }
}

}  // namespace sentinel
