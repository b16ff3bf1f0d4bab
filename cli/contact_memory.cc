// SPDX-License-Identifier: Apache-2.0
// The file is read again before it is written: two runs may share a project.
#include "cli/contact_memory.h"

#include <unistd.h>

#include <algorithm>

#include "core/base/file.h"
#include "core/model/json.h"
#include "core/report/documents.h"

namespace sentinel {
namespace {

Result<Contact> decode_contact(const std::string& key, const nlohmann::json& fields) {
  try {
    Contact contact;
    contact.host_key = key;
    fields.at("name").get_to(contact.name);
    fields.at("address").get_to(contact.address);
    fields.at("user").get_to(contact.user);
    fields.at("port").get_to(contact.port);
    fields.at("audit_head").get_to(contact.audit_head);
    return contact;
  } catch (const nlohmann::json::exception& failure) {
    return Error("json.shape", failure.what());
  }
}

}  // namespace

ContactMemory::ContactMemory(std::string project_directory) : directory_(std::move(project_directory) + "/.sentinel") {
  contacts_ = load();
}

std::map<std::string, Contact> ContactMemory::load() const {
  std::map<std::string, Contact> contacts;
  const auto text = read_whole_file(directory_ + "/hosts.json", 4U << 20);
  if (!text.ok()) return contacts;
  const auto json = parse_json(*text);
  if (!json.ok() || !json->is_object() || !json->contains("hosts") || !json->at("hosts").is_object()) return contacts;
  for (const auto& [key, fields] : json->at("hosts").items()) {
    if (auto contact = decode_contact(key, fields); contact.ok()) contacts[key] = std::move(*contact);
  }
  return contacts;
}

std::optional<Contact> ContactMemory::find(const std::string& name, const std::string& address) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, contact] : contacts_) {
    if (contact.name == name && contact.address == address) return contact;
  }
  return std::nullopt;
}

Result<void> ContactMemory::remember(const Contact& contact) {
  const std::lock_guard lock(mutex_);
  if (const auto known = contacts_.find(contact.host_key); known != contacts_.end() && known->second == contact) return {};
  contacts_ = load();
  for (auto known = contacts_.begin(); known != contacts_.end();) {
    const bool same_host = known->second.name == contact.name && known->second.address == contact.address;
    known = same_host ? contacts_.erase(known) : std::next(known);
  }
  contacts_[contact.host_key] = contact;
  Document hosts = Document::object();
  for (const auto& [key, known] : contacts_) {
    hosts[key] = {{"name", known.name},
                  {"address", known.address},
                  {"user", known.user},
                  {"port", known.port},
                  {"audit_head", known.audit_head}};
  }
  SENTINEL_CHECK(make_directories(directory_, 0700));
  return replace_file(directory_ + "/hosts.json", document_text({{"schema_version", kSchemaVersion}, {"hosts", hosts}}),
                      FileAttributes{geteuid(), getegid(), 0600});
}

}  // namespace sentinel
