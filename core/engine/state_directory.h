// SPDX-License-Identifier: Apache-2.0
// Where the host keeps what Sentinel remembers: one place that knows the paths under the state root. Everything in it
// is root's alone (0700 and 0600) and is written through System, so that crash tests cover it like any managed file.
#pragma once

#include <string>
#include <vector>

#include "core/model/transaction_id.h"
#include "core/system/system.h"

namespace sentinel {

/// The names under the state root; values only, nothing is touched.
struct StateDirectory {
  std::string root = "/var/lib/sentinel";

  std::string blobs() const { return root + "/blobs"; }

  std::string journals() const { return root + "/journal"; }

  std::string journal(const std::string& transaction) const { return journals() + "/" + transaction; }

  std::string log(const std::string& transaction) const { return journal(transaction) + "/log"; }

  std::string events(const std::string& transaction) const { return journal(transaction) + "/events"; }

  /// The tree of wanted files that validators see while the transaction is staged.
  std::string staged(const std::string& transaction) const { return journal(transaction) + "/staged"; }

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
