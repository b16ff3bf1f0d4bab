// SPDX-License-Identifier: Apache-2.0
// What sentinelctl asks of an agent: the resources of one host, the secrets they may use (by name), and who asks. Values of
// secrets and contents travel beside it in frames of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/secret.h"
#include "core/model/release.h"
#include "core/model/resource.h"

namespace sentinel {

/// A secret by name. Given ones come from the operator's side with each request; generated ones are made on the host once.
struct SecretSpec {
  std::string name;
  bool generated = false;
  std::string encoding = "hex";  ///< of a generated one: hex or base64
  std::uint32_t bytes = 32;      ///< of randomness, for a generated one

  bool operator==(const SecretSpec&) const = default;
};

/// Values by name; never serialized with a request.
using SecretValues = std::map<std::string, Secret>;

struct Request {
  std::string host;      ///< the name the project gives it
  std::string project;
  std::string purpose;   ///< "bootstrap", "apply", "rollback to generation 3"
  std::string operator_name;  ///< "user@machine", for the lease and the audit log
  std::vector<Resource> resources;
  std::vector<SecretSpec> secrets;
  std::uint32_t confirm_timeout_seconds = 60;
  std::uint32_t lease_wait_seconds = 0;
  std::vector<std::string> keep_open;  ///< ports the operator will come back on ("2222"), beside the one in use
  std::optional<ReleaseOrder> release;  ///< a release to be brought into force; then there are no resources

  bool operator==(const Request&) const = default;
};

}  // namespace sentinel
