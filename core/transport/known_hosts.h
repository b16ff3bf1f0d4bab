// SPDX-License-Identifier: Apache-2.0
// The known_hosts files of OpenSSH (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): looked up by our own rules and appended
// to. Plain and hashed names, patterns with * ? !, [host]:port, @revoked. @cert-authority lines are passed over: host
// certificates are not asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/transport/host_key.h"

namespace sentinel {

/// One line that applies to a host.
struct KnownHostLine {
  std::string file;
  int line = 0;
  bool revoked = false;
  HostKey key;

  /// "file:line".
  std::string place() const;
};

/// The name a host has in known_hosts: lower case, "[name]:port" where the port isn't 22.
std::string known_hosts_name(const std::string& address, std::uint16_t port);

/// Lines of `files` for `name` in order, and every @revoked line that could apply to it. Missing files are empty, lines
/// that don't parse are passed over (as OpenSSH does); an unreadable file is an error, since it could hold the right
/// key.
Result<std::vector<KnownHostLine>> find_known_host(const std::vector<std::string>& files, const std::string& name);

/// Appends "name type base64" to `file` in one write and syncs it; the file and its directory are created private when
/// missing. Two processes appending at once don't mix.
Result<void> append_known_host(const std::string& file, const std::string& name, const HostKey& key);

}  // namespace sentinel
