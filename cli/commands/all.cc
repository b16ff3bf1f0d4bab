// SPDX-License-Identifier: Apache-2.0
// The list of commands, in the order people meet them.
#include "cli/commands/commands.h"

namespace sentinel {

Subcommands all_commands() {
  Subcommands commands;
  commands.push_back(make_init_command());
  commands.push_back(make_validate_command());
  commands.push_back(make_render_command());
  commands.push_back(make_plan_command());
  commands.push_back(make_bootstrap_command());
  commands.push_back(make_apply_command());
  commands.push_back(make_attach_command());
  commands.push_back(make_deploy_command());
  commands.push_back(make_rollback_command());
  commands.push_back(make_check_command());
  commands.push_back(make_status_command());
  commands.push_back(make_history_command());
  commands.push_back(make_releases_command());
  commands.push_back(make_logs_command());
  commands.push_back(make_secrets_command());
  commands.push_back(make_docs_command());
  commands.push_back(make_explain_command());
  commands.push_back(make_completion_command());
  commands.push_back(make_version_command());
  commands.push_back(make_help_command());
  return commands;
}

}  // namespace sentinel
