// SPDX-License-Identifier: Apache-2.0
// A Survey over a FakeSystem, and the shortest loop that carries its plans out: what the tests of resource kinds need
// without the engine. Contents, secrets and the key are members to fill in.
#pragma once

#include <map>
#include <string>

#include "core/resources/survey.h"
#include "tests/support/fake_system.h"

namespace sentinel {

class SurveyBench {
 public:
  SurveyBench() = default;

  /// Makes a content known and names it.
  ContentRef know(const Content& content);
  /// Observes and plans once, with nothing remembered from before.
  Result<Step> plan(const Resource& resource);
  Result<nlohmann::json> observe(const ResourceBody& body);
  /// Runs actions; the first failure is the result.
  Result<void> act(const std::vector<Action>& actions);
  /// Completes an undo as an executor does: empty contents become what stands there now.
  std::vector<Action> captured(std::vector<Action> undo);

  FakeSystem machine;
  std::map<std::string, std::string> contents;  ///< serialized bytes by digest
  std::map<std::string, Secret> secrets;
  Secret host_key{"0123456789abcdef0123456789abcdef"};
  std::vector<ContentRef> missing;  ///< of the last plan

 private:
  Surroundings surroundings();
  Result<void> act(const Action& action);
};

}  // namespace sentinel
