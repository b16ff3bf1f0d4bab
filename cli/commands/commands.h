// SPDX-License-Identifier: Apache-2.0
// One maker per command; each is defined in the file of its name, with its manual beside it (<name>.md).
#pragma once

#include <memory>

#include "cli/subcommand.h"

namespace sentinel {

std::unique_ptr<Subcommand> make_apply_command();
std::unique_ptr<Subcommand> make_attach_command();
std::unique_ptr<Subcommand> make_bootstrap_command();
std::unique_ptr<Subcommand> make_check_command();
std::unique_ptr<Subcommand> make_completion_command();
std::unique_ptr<Subcommand> make_deploy_command();
std::unique_ptr<Subcommand> make_docs_command();
std::unique_ptr<Subcommand> make_explain_command();
std::unique_ptr<Subcommand> make_help_command();
std::unique_ptr<Subcommand> make_history_command();
std::unique_ptr<Subcommand> make_init_command();
std::unique_ptr<Subcommand> make_logs_command();
std::unique_ptr<Subcommand> make_plan_command();
std::unique_ptr<Subcommand> make_releases_command();
std::unique_ptr<Subcommand> make_render_command();
std::unique_ptr<Subcommand> make_rollback_command();
std::unique_ptr<Subcommand> make_secrets_command();
std::unique_ptr<Subcommand> make_status_command();
std::unique_ptr<Subcommand> make_validate_command();
std::unique_ptr<Subcommand> make_version_command();

}  // namespace sentinel
