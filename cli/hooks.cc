// SPDX-License-Identifier: Apache-2.0
// A hook has a process group of its own, so that its end is also that of what it started. Everything it needs is made
// before the fork: other threads of ours may hold locks.
#include "cli/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "core/base/descriptor.h"

extern char** environ;

namespace sentinel {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Words = std::vector<std::string>;

constexpr int kNotStarted = 127;
constexpr std::string_view kInterrupted = "was interrupted";

const HookCommands& commands_of(const Hooks& hooks, HookMoment moment) {
  switch (moment) {
    case HookMoment::kPreConnect: return hooks.pre_connect;
    case HookMoment::kPreDeploy: return hooks.pre_deploy;
    case HookMoment::kPostDeploy: return hooks.post_deploy;
    case HookMoment::kOnRollback: break;
  }
  return hooks.on_rollback;
}

/// The operator's environment with ours in front; a variable of that name from outside is left out.
Words environment_of(const Project& project, HookMoment moment, const HookFacts& facts) {
  Words out{"SENTINEL_HOOK=" + name_of(moment),
            "SENTINEL_PROJECT=" + project.name,
            "SENTINEL_RELEASE=" + facts.release,
            fmt::format("SENTINEL_HOSTS={}", fmt::join(facts.hosts, " ")),
            "SENTINEL_HOST=" + (facts.hosts.size() == 1 ? facts.hosts.front() : std::string()),
            "SENTINEL_OUTCOME=" + facts.outcome};
  const std::size_t own = out.size();
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('=') + 1);
    const bool ours = std::any_of(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(own),
                                  [&](const std::string& other) { return other.starts_with(name); });
    if (!ours) out.push_back(text);
  }
  return out;
}

std::vector<char*> pointers(const Words& words) {
  std::vector<char*> out;
  for (const auto& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// In the child: only calls that are safe after fork.
[[noreturn]] void run_child(char* const* argv, char* const* envp, const char* directory) {
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (::chdir(directory) == 0) ::execvpe(argv[0], argv, envp);
  ::_exit(kNotStarted);
}

/// Why it ended before its time; empty: it ended by itself.
std::string await(pid_t child, int interrupt_fd, SteadyClock::time_point end, std::chrono::milliseconds limit) {
  const Descriptor exited(static_cast<int>(::syscall(SYS_pidfd_open, child, 0U)));
  for (;;) {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child)
      return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()).count();
    if (left <= 0) return fmt::format("did not end within {} s", static_cast<double>(limit.count()) / 1000);
    pollfd waiting[2] = {{exited.get(), POLLIN, 0}, {interrupt_fd, POLLIN, 0}};
    // Kernels before 5.3 have no pidfd: there, look now and then.
    ::poll(waiting, 2, static_cast<int>(exited.valid() ? left : std::min<long>(left, 20)));
    if (waiting[1].revents != 0) return std::string(kInterrupted);
  }
}

std::string run(const Words& command, const Words& environment, const std::string& directory, int interrupt_fd,
                std::chrono::milliseconds limit) {
  const auto argv = pointers(command);
  const auto envp = pointers(environment);
  const pid_t child = ::fork();
  if (child < 0) return "can't be started: " + system_error(errno, "start", command.front()).message;
  if (child == 0) run_child(argv.data(), envp.data(), directory.c_str());
  ::setpgid(child, child);
  std::string why = await(child, interrupt_fd, SteadyClock::now() + limit, limit);
  if (!why.empty()) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!why.empty()) return why;
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) == kNotStarted) return "can't be started, or ended with status 127";
  if (WEXITSTATUS(status) != 0) return fmt::format("ended with status {}", WEXITSTATUS(status));
  return {};
}

}  // namespace

std::string name_of(HookMoment moment) {
  switch (moment) {
    case HookMoment::kPreConnect: return "pre_connect";
    case HookMoment::kPreDeploy: return "pre_deploy";
    case HookMoment::kPostDeploy: return "post_deploy";
    case HookMoment::kOnRollback: return "on_rollback";
  }
  return "?";
}

Errors run_hooks(const Project& project, HookMoment moment, const HookFacts& facts, int interrupt_fd,
                 std::chrono::milliseconds limit) {
  const bool before = moment == HookMoment::kPreConnect || moment == HookMoment::kPreDeploy;
  const Words environment = environment_of(project, moment, facts);
  Errors errors;
  for (const auto& command : commands_of(project.hooks, moment)) {
    const std::string why = run(command, environment, project.directory, interrupt_fd, limit);
    if (why.empty()) continue;
    Error error("hooks.failed", fmt::format("the {} hook '{}' {}", name_of(moment), command.front(), why),
                before ? "nothing was changed" : "how the deploy ended is not affected");
    if (why == kInterrupted) error.exit = ExitCode::kInterrupted;
    errors.push_back(std::move(error));
    if (before) break;
  }
  return errors;
}

}  // namespace sentinel
