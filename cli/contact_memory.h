// SPDX-License-Identifier: Apache-2.0
// .sentinel/hosts.json: how each host was last entered, so that later runs open one connection and cause no failed login.
// It saves time and holds no secret; a file that is lost or can't be read only costs a second connection.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/result.h"

namespace sentinel {

struct Contact {
  std::string name;      ///< in the project
  std::string address;
  std::string host_key;  ///< "type base64": the key of this map in the file
  std::string user;
  std::uint16_t port = 22;
  std::string audit_head;  ///< of the host's audit log, when `history` last found it whole or the host was first seen

  /// False for a host whose log was empty (a head of zeros) or never heard of.
  bool has_audit_head() const { return audit_head.find_first_not_of('0') != std::string::npos; }

  bool operator==(const Contact&) const = default;
};

/// Thread safe.
class ContactMemory {
 public:
  explicit ContactMemory(std::string project_directory);

  /// By name and address: a host that moved is a new one.
  std::optional<Contact> find(const std::string& name, const std::string& address) const;
  /// Replaces what was known of that host or host key; nothing is written when nothing is new.
  Result<void> remember(const Contact& contact);

 private:
  std::map<std::string, Contact> load() const;

  mutable std::mutex mutex_;
  std::string directory_;
  std::map<std::string, Contact> contacts_;  ///< by host key
};

}  // namespace sentinel
