// SPDX-License-Identifier: Apache-2.0
// `init [DIR] [--stack S]`: a commented project that validates as it stands. Nothing that exists is overwritten.
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "cli/commands/commands.h"
#include "core/base/file.h"
#include "core/base/suggest.h"
#include "core/config/project.h"

namespace sentinel {
namespace {

constexpr const char* kProjectText = R"(# Sentinel project: which hosts there are, and what they should be.
# Every key is explained by `sentinelctl docs project`; check your changes with `sentinelctl validate`.
version: 1
project: sentinel            # names the application on the hosts: /opt/sentinel, unit names
stack: {stack}

hosts:
  prod-1:
    address: 203.0.113.10    # put your host's address here
    user: root               # first contact; later runs come in as vars.deploy_user
    # port: 22
    # identity: ~/.ssh/id_ed25519            # default: the ssh agent, then the usual files
    # host_key: "ssh-ed25519 AAAA..."        # pin the host's key; otherwise known_hosts decides
    # tags: [prod]
    # vars: {{}}                               # override the variables below for this host

vars:
  domain: api.example.com
  deploy_user: deploy
  # ssh: {{allow_from: []}}                    # narrow who may reach SSH: [192.0.2.0/24]
  # firewall: {{allow: [22/tcp, 80/tcp, 443/tcp]}}
  # tls: {{mode: acme}}                        # origin (a certificate of your own), acme, internal, none

# Values never stand here, only where they come from.
# secrets:
#   OPENAI_API_KEY: {{env: OPENAI_API_KEY}}
#   JWT_SECRET: {{generate: hex, bytes: 32}}   # made on the host, never shown
)";

constexpr const char* kIgnored = ".sentinel/\nsecrets/\n";

class InitCommand final : public Subcommand {
 public:
  std::string name() const override { return "init"; }
  std::string summary() const override { return "write a commented project that validates as it stands"; }

  void declare(Declaration& d) override {
    d.argument("DIR", directory_, "where (default: the current directory)");
    d.option("--stack", "S", stack_, "what the hosts become (default sentinel-vps)");
  }

  ExitCode run(const Context& context) override {
    const auto checked = check_stack(context.assets);
    if (!checked.ok()) return context.console.fail(checked.error());
    const std::string directory = std::filesystem::absolute(directory_.empty() ? context.options.directory : directory_).lexically_normal();
    const std::string project = std::filesystem::path(directory) / kProjectFile;
    if (std::filesystem::exists(project)) {
      return context.console.fail(
          Error("init.exists", project + " exists already", "choose another directory", ExitCode::kUsage));
    }
    if (context.options.dry_run) {
      context.console.data(project + " would be written\n");
      return ExitCode::kChangesPending;
    }
    if (const auto written = write(directory, project); !written.ok()) return context.console.fail(written.error());
    context.console.document({{"schema_version", kSchemaVersion}, {"file", project}});
    context.console.data(project + " written\n");
    context.console.say(fmt::format("Next: put your host's address there, then sentinelctl{} validate\n",
                                    directory_.empty() ? "" : " -C " + directory_));
    return ExitCode::kDone;
  }

 private:
  Result<void> check_stack(const Assets& assets) const {
    std::vector<std::string> stacks;
    for (const std::string& file : assets.list("playbooks/stacks/")) stacks.push_back(std::filesystem::path(file).stem());
    if (std::find(stacks.begin(), stacks.end(), stack_) != stacks.end()) return {};
    const std::string suggestion = did_you_mean(stack_, stacks);
    return Error("init.unknown-stack", fmt::format("there is no stack '{}'", stack_),
                 suggestion.empty() ? fmt::format("there are: {}", fmt::join(stacks, ", ")) : suggestion, ExitCode::kUsage);
  }

  Result<void> write(const std::string& directory, const std::string& project) const {
    const FileAttributes ours{geteuid(), getegid(), 0644};
    SENTINEL_CHECK(make_directories(directory));
    const std::string ignored = directory + "/.gitignore";
    if (!std::filesystem::exists(ignored)) SENTINEL_CHECK(replace_file(ignored, kIgnored, ours));
    return replace_file(project, fmt::format(kProjectText, fmt::arg("stack", stack_)), ours);
  }

  std::string directory_;
  std::string stack_ = "sentinel-vps";
};

}  // namespace

std::unique_ptr<Subcommand> make_init_command() { return std::make_unique<InitCommand>(); }

}  // namespace sentinel
