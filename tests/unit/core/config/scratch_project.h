// SPDX-License-Identifier: Apache-2.0
// A project in a temporary directory that goes away with the object.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "core/config/expand.h"
#include "core/config/playbook.h"
#include "core/config/project.h"

namespace sentinel {

class ScratchProject {
 public:
  ScratchProject() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sentinel-config-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
  }

  ~ScratchProject() { std::filesystem::remove_all(directory_); }

  ScratchProject(const ScratchProject&) = delete;
  ScratchProject& operator=(const ScratchProject&) = delete;

  const std::string& directory() const { return directory_; }

  ScratchProject& write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = directory_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return *this;
  }

  /// A project of one host with one role "web" in stack "test", made of these `vars:` and `resources:` (YAML, indented
  /// by two).
  ScratchProject& role(const std::string& vars, const std::string& resources, const std::string& project = "") {
    write("sentinel.yaml",
          "version: 1\nproject: demo\nstack: test\nhosts:\n  web-1: {address: 203.0.113.10, tags: [prod]}\n" + project);
    write("playbooks/stacks/test.yaml", "stack: test\nroles: [web]\n");
    write("playbooks/roles/web.yaml", "role: web\nvars:\n" + vars + "resources:\n" + resources);
    return *this;
  }

  Assets assets() const { return Assets({directory_}); }

  /// Loads and expands the first host.
  std::optional<Expansion> expand_first(const ExpandOptions& options = {},
                                        const std::vector<std::string>& settings = {}) {
    const auto project = load_project({directory_, {}, settings}, diagnostics);
    if (!project) return {};
    const Assets files = assets();
    const auto playbook = load_playbook(*project, files, diagnostics);
    if (!playbook) return {};
    const auto facts = assumed_facts(*project, project->hosts.front(), diagnostics);
    if (!facts) return {};
    return expand(*project, *playbook, project->hosts.front(), *facts, files, options, diagnostics);
  }

  /// Codes of all errors, in order.
  std::string codes() const {
    std::string out;
    for (const auto& error : diagnostics.errors) out += (out.empty() ? "" : " ") + error.code;
    return out;
  }

  Diagnostics diagnostics;

 private:
  std::string directory_;
};

}  // namespace sentinel
