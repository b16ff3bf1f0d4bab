// SPDX-License-Identifier: Apache-2.0
// `docs [TOPIC]`: the reference that also checks the files: topics of the project file and playbooks, resource kinds, roles.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.h"
#include "core/base/suggest.h"
#include "core/config/playbook.h"
#include "core/config/reference.h"

namespace sentinel {
namespace {

constexpr std::string_view kRoleDirectory = "playbooks/roles/";

// "ssh.yaml" -> "ssh"; nothing for other files.
std::vector<std::string> role_names(const Assets& assets) {
  std::vector<std::string> names;
  for (const std::string& file : assets.list(std::string(kRoleDirectory))) {
    constexpr std::string_view kSuffix = ".yaml";
    if (file.size() <= kSuffix.size() || file.substr(file.size() - kSuffix.size()) != kSuffix) continue;
    names.push_back(file.substr(0, file.size() - kSuffix.size()));
  }
  return names;
}

class DocsCommand final : public Subcommand {
 public:
  std::string name() const override { return "docs"; }
  std::string summary() const override { return "the reference: project file, playbooks, resource kinds, roles"; }

  void declare(Declaration& d) override {
    d.arguments("TOPIC", topic_, "a topic, a resource kind, or 'role NAME'; none: list all");
  }

  ExitCode run(const Context& context) override {
    const Assets assets = context.assets.with_directory(context.options.directory);
    if (topic_.empty()) return list(context, assets);
    const bool role = topic_.size() == 2 && topic_.front() == "role";
    const std::string name = topic_.back();
    if (role) return show_role(context, assets, name);
    const auto page = reference_page(name);
    if (page.ok()) return show(context, name, *page);
    const auto roles = role_names(assets);
    if (std::find(roles.begin(), roles.end(), name) != roles.end()) return show_role(context, assets, name);
    return context.console.fail(page.error());
  }

 private:
  static ExitCode show(const Context& context, const std::string& topic, const std::string& page) {
    context.console.data(page);
    context.console.document({{"schema_version", kSchemaVersion}, {"topic", topic}, {"text", page}});
    return ExitCode::kDone;
  }

  static ExitCode show_role(const Context& context, const Assets& assets, const std::string& name) {
    const auto roles = role_names(assets);
    if (std::find(roles.begin(), roles.end(), name) == roles.end()) {
      const std::string suggestion = did_you_mean(name, roles);
      return context.console.fail(Error("docs.unknown-role", fmt::format("there is no role '{}'", name),
                                        suggestion.empty() ? "see sentinelctl docs" : suggestion, ExitCode::kUsage));
    }
    Diagnostics diagnostics;
    const auto loaded = load_role(name, assets, diagnostics);
    if (!loaded) return context.console.fail(diagnostics.errors);
    return show(context, "role " + name, role_page(*loaded));
  }

  static ExitCode list(const Context& context, const Assets& assets) {
    const auto section = [](const std::string& title, const std::vector<std::string>& names, const std::string& prefix) {
      std::string text = title + "\n";
      for (const std::string& name : names) text += "  " + prefix + name + "\n";
      return text;
    };
    const auto roles = role_names(assets);
    context.console.data(section("Files:", reference_topics(), "") + section("Resource kinds:", resource_kinds(), "") +
                         section("Roles:", roles, "role ") + "sentinelctl docs TOPIC shows one.\n");
    context.console.document({{"schema_version", kSchemaVersion},
                              {"topics", reference_topics()},
                              {"kinds", resource_kinds()},
                              {"roles", roles}});
    return ExitCode::kDone;
  }

  std::vector<std::string> topic_;
};

}  // namespace

std::unique_ptr<Subcommand> make_docs_command() { return std::make_unique<DocsCommand>(); }

}  // namespace sentinel
