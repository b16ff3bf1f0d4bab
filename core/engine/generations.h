// SPDX-License-Identifier: Apache-2.0
// Generations: what was managed, and how it stood, after each committed transaction. Generation 0 is the host before
// the first. Going back to one is an ordinary transaction over the resources that request_for_generation() returns.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/state_directory.h"
#include "core/model/request.h"

namespace sentinel {

/// A resource as it was wanted, and what the machine had for it after the commit.
struct ManagedResource {
  Resource resource;
  nlohmann::json state;

  bool operator==(const ManagedResource&) const = default;
};

/// What stood there before Sentinel touched it for the first time.
struct Original {
  ResourceBody body;
  nlohmann::json state;

  bool operator==(const Original&) const = default;
};

struct Generation {
  std::uint64_t number = 0;
  std::string transaction;
  std::string time;  ///< RFC 3339, of the commit
  std::string operator_name;
  std::string purpose;
  std::string project;
  std::vector<ManagedResource> managed;       ///< in the order they are applied
  std::vector<SecretSpec> secrets;            ///< those the managed resources may use
  std::vector<std::string> originals_order;   ///< identities in the order of first touch
  std::map<std::string, Original> originals;  ///< by identity(): everything ever touched

  bool operator==(const Generation&) const = default;
};

void to_json(nlohmann::json& json, const Generation& value);
void from_json(const nlohmann::json& json, Generation& value);

/// Begins the ids of resources that bring back what stood there before Sentinel's first touch. What they owe to a unit
/// that is gone by then is owed no more.
inline constexpr const char* kRestorePrefix = "restore/";

/// Names the thing on the machine a resource is about, whatever its id: "path:/etc/motd", "user:deploy".
std::string identity(const ResourceBody& body);

class Generations {
 public:
  static constexpr std::size_t kRetained = 20;

  Generations(System& machine, StateDirectory directory);

  /// Number of the generation in force; 0 before the first commit.
  Result<std::uint64_t> current();
  /// `generation.unknown` when it was never made or is no longer kept; generation 0 is empty.
  Result<Generation> load(std::uint64_t number);
  /// Writes generations/<n>.json, then `current`. Idempotent.
  Result<void> store(const Generation& generation);
  /// Kept numbers, ascending.
  Result<std::vector<std::uint64_t>> kept();
  /// Keeps the newest kRetained and the current one.
  Result<void> prune();

  /// Resources (and secrets) that bring the host from the current generation back to `number`: what was managed then as
  /// it was wanted then; what was touched only later, back to how it stood before. The caller fills in who asks.
  Result<Request> request_for_generation(std::uint64_t number);

 private:
  System& machine_;
  StateDirectory directory_;
};

}  // namespace sentinel
