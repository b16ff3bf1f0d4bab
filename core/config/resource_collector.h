// SPDX-License-Identifier: Apache-2.0
// Gathers the resources of one host with their contents and the secrets they use, and sees to it that nothing is there
// twice.
#pragma once

#include <map>
#include <set>
#include <string>

#include "core/base/result.h"
#include "core/config/expand.h"
#include "core/config/project.h"

namespace sentinel {

class ResourceCollector {
 public:
  /// `managed` names what the resource is about ("/etc/motd", "user deploy"); empty when several may be about the same.
  /// Errors `playbook.duplicate-id` and `playbook.duplicate-resource` (two that want different things would never come
  /// to rest); they have no position.
  Result<void> add(Resource resource, const Content& content, const std::string& managed);

  /// What was gathered, with the specs of the secrets that are used.
  Expansion finish(const Project& project, const Host& host, Value variables) &&;

 private:
  void keep_files(const Resource& resource, const Content& content);

  Expansion out_;
  std::set<std::string> secrets_;
  std::map<std::string, std::string> ids_;      ///< id -> origin
  std::map<std::string, std::string> managed_;  ///< what is managed -> origin
};

}  // namespace sentinel
