// SPDX-License-Identifier: Apache-2.0
// Where the host keeps what Sentinel remembers: one place that knows the paths under the state root, and those of what
// needs to outlive no boot. Everything is root's alone (0700 and 0600) and is written through System, so that crash
// tests cover it like any managed file.
#pragma once

#include <string>
#include <vector>

#include "core/model/transaction_id.h"
#include "core/system/system.h"

namespace sentinel {

/// Names only, nothing is touched.
struct StateDirectory {
  std::string root = "/var/lib/sentinel";
  std::string run = "/run/sentinel";  ///< in memory: syncing there costs nothing

  std::string blobs() const { return root + "/blobs"; }

  std::string journals() const { return root + "/journal"; }

  std::string journal(const std::string& transaction) const { return journals() + "/" + transaction; }

  std::string log(const std::string& transaction) const { return journal(transaction) + "/log"; }

  std::string events(const std::string& transaction) const { return journal(transaction) + "/events"; }

  /// The tree of wanted files that validators see while a transaction is staged: one, since the lease is held. A crash
  /// may lose it, and filled secrets never reach the disk by it.
  std::string staged() const { return run + "/staged"; }

  /// Where a running transaction's process listens.
  std::string socket(const std::string& transaction) const { return run + "/" + transaction + ".sock"; }

  std::string secrets() const { return root + "/secrets"; }

  std::string secret(const std::string& name) const { return secrets() + "/" + name; }

  std::string generations() const { return root + "/generations"; }

  std::string current() const { return generations() + "/current"; }

  std::string host_key() const { return root + "/host.key"; }

  std::string lease() const { return root + "/lease"; }

  std::string audit_log() const { return root + "/audit.log"; }

  /// Makes the root and its directories, 0700 root. Idempotent; touches nothing that is already so.
  Result<void> prepare(System& machine) const;
};

/// Ids that have a journal directory, sorted by name (not by time).
Result<std::vector<std::string>> transactions(const StateDirectory& directory, Reader& machine);

}  // namespace sentinel
