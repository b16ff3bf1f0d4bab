// SPDX-License-Identifier: Apache-2.0
// Match blocks of sshd as connections: for each block one that it applies to, so that `sshd -T -C` can be asked what
// the block makes of it. A plain `sshd -T` says "no" where a Match Address lets passwords in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/resources/accounts.h"

namespace sentinel {

/// As for `sshd -C` (sshd(8)).
struct SshdConnection {
  std::string user = "root";
  std::string host = "client.invalid";
  std::string address = "198.51.100.7";  ///< TEST-NET-2 (RFC 5737): a client that no block names
  std::string local_address = "192.0.2.1";
  int local_port = 22;

  /// "user=root,host=…,addr=…,laddr=…,lport=…"
  std::string specification() const;
};

/// A connection that the criteria of a Match block ("user deploy address 10.0.0.0/8", several blocks joined by " and ")
/// apply to. Error `sshd.match` for criteria nobody can meet from outside (a group without members) or that only a
/// command or a real connection decides (exec, rdomain, final).
Result<SshdConnection> connection_for(const std::string& match, const Accounts& accounts);

}  // namespace sentinel
