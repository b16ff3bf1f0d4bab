// SPDX-License-Identifier: Apache-2.0
// Up to agree() nothing on any host has changed; from apply() on every host is finished, or undone, or named as stuck.
#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>

#include "cli/fleet.h"
#include "cli/transaction_watch.h"
#include "cli/vigil.h"
#include "core/config/narrowing.h"
#include "core/config/variables.h"
#include "core/config/yaml.h"
#include "core/model/json.h"
#include "core/model/transaction_id.h"
#include "core/report/exit_status.h"
#include "core/report/plan_text.h"
#include "core/report/run_text.h"

namespace sentinel {
namespace {

// What the playbooks see as `operator`: who is connected. Declared variables of that name win.
Result<Host> with_operator(const Host& host, const HostConnection& connection) {
  const nlohmann::json seen = {{"operator", {{"key", connection.login_public_key()}}}};
  SENTINEL_TRY(const Node variables, parse_yaml(to_text(seen), "(connection)"));
  Host known = host;
  known.vars = known.vars.is_mapping() ? merge_nodes(variables, known.vars) : variables;
  return known;
}

std::string operator_name() {
  std::array<char, 256> machine{};
  gethostname(machine.data(), machine.size() - 1);
  return fmt::format("{}@{}", SshEnvironment::of_process().user, machine.data());
}

std::uint64_t since(std::chrono::steady_clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

Run::Run(const Context& context, const Workspace& workspace, std::string purpose)
    : context_(context), workspace_(workspace), purpose_(std::move(purpose)), vault_(workspace.project) {
  for (const Host* host : workspace.hosts) {
    HostTask& task = tasks_.emplace_back();
    task.host = host;
    task.plan.host = host->name;
    task.run.host = host->name;
    task.transaction = new_transaction_id();
  }
}

Run::~Run() = default;

Result<void> Run::prepare() {
  SENTINEL_TRY(access_, Access::prepare(context_, workspace_));
  for (HostTask& task : tasks_) task.ways = {next_door(*access_, *task.host)};
  return {};
}

Request Run::new_request(const Host& host) const {
  Request request;
  request.host = host.name;
  request.project = workspace_.project.name;
  request.purpose = purpose_;
  request.operator_name = operator_name();
  request.confirm_timeout_seconds = context_.options.confirm_timeout;
  request.lease_wait_seconds = context_.options.wait;
  request.keep_open = {fmt::format("{}", next_door(*access_, host).port)};
  return request;
}

SecretValues Run::secrets_for(const Request& request, Diagnostics& diagnostics) {
  return vault_.values_for(request.secrets, diagnostics);
}

void Run::warn(const Errors& warnings) {
  access_->progress->hold();
  context_.console.warn(warnings);
  access_->progress->release();
}

// The first error is the result, the others go into the task.
Error Run::take_errors(HostTask& task, const Diagnostics& diagnostics) {
  task.plan.errors.insert(task.plan.errors.end(), diagnostics.errors.begin() + 1, diagnostics.errors.end());
  return diagnostics.errors.front();
}

Result<Expansion> Run::expand_for(HostTask& task, Diagnostics& diagnostics) {
  SENTINEL_TRY(const Host host, with_operator(*task.host, *task.connection));
  auto expansion = expand(workspace_.project, workspace_.playbook, host, task.connection->hello().facts,
                          workspace_.assets, {}, diagnostics);
  if (expansion) return std::move(*expansion);
  if (!diagnostics.warnings.empty()) warn(diagnostics.warnings);
  return take_errors(task, diagnostics);
}

Result<Plan> Run::plan_expansion(HostTask& task, Expansion expansion, const SecretValues& given,
                                 Diagnostics& diagnostics) {
  SecretValues secrets = secrets_for(expansion.request, diagnostics);
  if (!diagnostics.warnings.empty()) warn(diagnostics.warnings);
  if (!diagnostics.ok()) return take_errors(task, diagnostics);
  task.request = new_request(*task.host);
  task.request.resources = std::move(expansion.request.resources);
  task.request.secrets = std::move(expansion.request.secrets);
  for (const SecretSpec& spec : task.request.secrets) {
    if (const auto value = given.find(spec.name); value != given.end())
      secrets.insert_or_assign(spec.name, value->second);
  }
  task.contents = std::move(expansion.contents);
  return task.connection->agent().plan(task.request, secrets, task.contents);
}

Result<Plan> Run::plan_project(HostTask& task, const SecretValues& given) {
  Diagnostics diagnostics;
  SENTINEL_TRY(Expansion expansion, expand_for(task, diagnostics));
  return plan_expansion(task, std::move(expansion), given, diagnostics);
}

Result<Plan> Run::plan_steps(HostTask& task, const std::vector<std::string>& steps) {
  Diagnostics diagnostics;
  SENTINEL_TRY(Expansion expansion, expand_for(task, diagnostics));
  if (const auto missing = narrow(expansion, steps); !missing.empty()) {
    return Error("plan.unknown-step", fmt::format("the playbook has no step {} for this host", fmt::join(missing, ", ")),
                 "the report is of another project or another version of it: check again", ExitCode::kUsage);
  }
  return plan_expansion(task, std::move(expansion), {}, diagnostics);
}

Result<Plan> Run::plan_generation(HostTask& task, std::uint64_t generation) {
  task.request = new_request(*task.host);
  task.ways = doors_of(*access_, *task.host);
  return task.connection->agent().plan_generation({generation, task.request});
}

Result<Plan> Run::plan_release(HostTask& task, const ReleaseWish& wish, const DeployChoices& choices) {
  Diagnostics diagnostics;
  SENTINEL_TRY(const Host host, with_operator(*task.host, *task.connection));
  auto rendering = render_release(workspace_.project, workspace_.playbook, host, task.connection->hello().facts,
                                  workspace_.assets, wish, diagnostics);
  SecretValues secrets;
  task.request = new_request(*task.host);
  if (rendering) {
    task.request.secrets = std::move(rendering->secrets);
    secrets = secrets_for(task.request, diagnostics);
  }
  if (!diagnostics.warnings.empty()) warn(diagnostics.warnings);
  if (!rendering || !diagnostics.ok()) {
    task.plan.errors.insert(task.plan.errors.end(), diagnostics.errors.begin() + 1, diagnostics.errors.end());
    return diagnostics.errors.front();
  }
  const std::string architecture = task.connection->hello().facts.architecture;
  if (!wish.architecture.empty() && wish.architecture != architecture) {
    return Error("release.architecture", fmt::format("the artefact is for {}, the host is {}", wish.architecture, architecture),
                 "ship the one for this host", ExitCode::kUsage);
  }
  task.request.release = ReleaseOrder{ReleaseOrder::Action::kDeploy, std::move(rendering->release), choices.roll_back,
                                      choices.wait_for_drain};
  task.contents = std::move(rendering->contents);
  return plan_order(task, secrets);
}

Result<Plan> Run::plan_order(HostTask& task, const SecretValues& secrets) {
  SENTINEL_TRY(auto plan, task.connection->agent().plan(task.request, secrets, task.contents));
  if (!plan.steps.empty()) return plan;
  SENTINEL_TRY(const auto answer, task.connection->agent().ask({"releases", workspace_.project.name}));
  SENTINEL_TRY(const auto app, decode<AppReleases>(answer));
  task.release_now = app.current;
  return plan;
}

Result<Plan> Run::plan_rollback(HostTask& task, const std::string& release) {
  task.request = new_request(*task.host);
  ReleaseOrder order;
  order.action = ReleaseOrder::Action::kRollback;
  order.release.app = workspace_.project.name;
  order.release.id = release;
  task.request.release = std::move(order);
  task.contents.clear();
  return plan_order(task, {});
}

void Run::plan(const Question& question) {
  progress_ = context_.console.make_progress();
  access_->progress = progress_.get();
  for_each_host(tasks_.size(), context_.options.parallel, [&](std::size_t i) { plan_host(tasks_[i], question); });
  access_->progress = nullptr;
  progress_.reset();
}

void Run::plan_host(HostTask& task, const Question& question) {
  task.started = std::chrono::steady_clock::now();
  progress_->stage(task.host->name, "connecting", 0);
  auto connection = HostConnection::open(*access_, *task.host, doors_of(*access_, *task.host));
  if (!connection.ok()) {
    task.plan.errors.push_back(std::move(connection).error());
    progress_->finished(task.host->name, "not reached", false);
    return;
  }
  task.connection = std::move(*connection);
  remember(task, task.connection->door());
  progress_->stage(task.host->name, "planning", 0);
  auto plan = question(task);
  if (!plan.ok()) {
    task.plan.errors.insert(task.plan.errors.begin(), std::move(plan).error());
    progress_->finished(task.host->name, "no plan", false);
    return;
  }
  task.plan.plan = std::move(*plan);
  const std::size_t steps = task.plan.plan->steps.size();
  progress_->finished(task.host->name,
                      steps == 0 ? "in sync" : fmt::format("{} step{} to take", steps, steps == 1 ? "" : "s"), true);
}

std::vector<HostPlan> Run::plans() const {
  std::vector<HostPlan> plans;
  plans.reserve(tasks_.size());
  for (const HostTask& task : tasks_) plans.push_back(task.plan);
  return plans;
}

bool Run::has_changes() const {
  for (const HostTask& task : tasks_) {
    if (task.plan.has_changes()) return true;
  }
  return false;
}

Result<bool> Run::agree() {
  if (context_.interruption.level() > 0)
    return Error("run.interrupted", "interrupted; nothing was changed", "", ExitCode::kInterrupted);
  if (!has_changes()) return true;
  Console& console = context_.console;
  const auto all = plans();
  console.say(plan_text(all, {console.talk_style(), context_.options.verbose}));
  console.say(irreversible_text(all, console.talk_style()));
  console.say(plan_summary(all));
  if (context_.options.yes) return true;
  console.show(errors_of(all));
  std::vector<HostTask*> all_tasks;
  for (HostTask& task : tasks_) all_tasks.push_back(&task);
  const Vigil vigil(std::move(all_tasks));
  return console.ask("Go on?");
}

void Run::apply() {
  progress_ = context_.console.make_progress();
  access_->progress = progress_.get();
  if (waves_) {
    std::vector<HostTask*> changing;
    for (HostTask& task : tasks_) {
      if (task.plan.has_changes()) {
        changing.push_back(&task);
      } else {
        apply_host(task);
      }
    }
    apply_in_waves(std::move(changing));
  } else {
    for_each_host(tasks_.size(), context_.options.parallel, [&](std::size_t i) { apply_host(tasks_[i]); });
  }
  access_->progress = nullptr;
  progress_.reset();
}

void Run::apply_host(HostTask& task) {
  HostRun& run = task.run;
  if (task.plan.failed()) {
    run.errors = task.plan.errors;
    const bool unreachable = !task.connection && run.errors.front().exit == ExitCode::kUnreachable;
    run.outcome = unreachable ? Outcome::kUnreachable : Outcome::kFailed;
    run.duration_ms = since(task.started);
    return;
  }
  if (!task.plan.has_changes()) {
    run.generation = task.connection->hello().generation;
    run.release = task.release_now;
    run.duration_ms = since(task.started);
    return;
  }
  if (context_.interruption.level() > 0) {
    run.outcome = Outcome::kFailed;
    run.errors.push_back(Error("run.interrupted", "interrupted; nothing was changed", "", ExitCode::kInterrupted));
    return;
  }
  const auto started = std::chrono::steady_clock::now();
  progress_->stage(task.host->name, "beginning", task.plan.plan->steps.size());
  TransactionWatch watch(*access_, *task.host, task.ways, task.transaction);
  run = watch.begin(task.connection, task.plan.plan->observed);
  run.duration_ms = since(started);
  progress_->finished(task.host->name, outcome_text(run), run.succeeded());
  if (run.succeeded() && watch.confirmed_through()) remember(task, *watch.confirmed_through());
}

// Also the door of a first contact: three logins as a user who doesn't exist yet are what fail2ban bans for.
void Run::remember(const HostTask& task, const Door& door) {
  const auto known = access_->memory.find(task.host->name, task.host->address);
  // A head that was heard once is what `history` compares with; only that command replaces it.
  const std::string head = known && known->has_audit_head() ? known->audit_head : task.connection->hello().audit_head;
  const auto remembered = access_->memory.remember(
      {task.host->name, task.host->address, task.connection->host_key(), door.user, door.port, head});
  if (!remembered.ok()) warn({remembered.error()});
}

ExitCode Run::finish() {
  if (context_.options.dry_run) return report_plans();
  const auto agreed = agree();
  if (!agreed.ok()) return context_.console.fail(agreed.error());
  if (!*agreed) {
    context_.console.say("Nothing was changed.\n");
    return ExitCode::kDone;
  }
  if (before_changes_ && has_changes()) {
    if (const Errors errors = before_changes_(); !errors.empty()) return context_.console.fail(errors);
  }
  apply();
  return report_runs();
}

ExitCode Run::report_plans() {
  Console& console = context_.console;
  const auto all = plans();
  console.data(plan_text(all, {console.output_style(), context_.options.verbose}));
  console.data(irreversible_text(all, console.output_style()));
  console.data(plan_summary(all));
  console.document(plan_document(all));
  console.show(errors_of(all));
  return exit_code_of(all);
}

ExitCode Run::report_runs() {
  Console& console = context_.console;
  std::vector<HostRun> runs;
  for (const HostTask& task : tasks_) runs.push_back(task.run);
  console.data(run_text(runs, console.output_style()));
  console.document(run_document(runs));
  console.show(errors_of(runs));
  return exit_code_of(runs);
}

}  // namespace sentinel
