// SPDX-License-Identifier: Apache-2.0
// The child has a process group of its own, so that a timeout ends what it started too.
#include "core/config/command_output.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/descriptor.h"

namespace sentinel {
namespace {

constexpr int kNotStarted = 127;

Error failed(const std::string& program, const std::string& how, std::string hint = {}) {
  return Error("secret.command-failed", fmt::format("the command '{}' {}", program, how), std::move(hint),
               ExitCode::kUsage);
}

/// In the child: only calls that are safe after fork.
[[noreturn]] void run_child(char* const* argv, const char* directory, int output) {
  ::setpgid(0, 0);
  const int null = ::open("/dev/null", O_RDWR);
  if (null >= 0) {
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDERR_FILENO);
  }
  ::dup2(output, STDOUT_FILENO);
  if (::chdir(directory) == 0) ::execvp(argv[0], argv);
  ::_exit(kNotStarted);
}

/// Everything the child prints; false at the timeout or when it is too much.
bool read_all(int fd, std::chrono::steady_clock::time_point deadline, std::size_t limit, std::string& out) {
  char buffer[4096];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
    if (out.size() > limit) break;
  }
  ::explicit_bzero(buffer, sizeof buffer);
  return out.size() <= limit;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<Secret> command_output(const std::vector<std::string>& argv, const std::string& directory,
                              std::chrono::milliseconds timeout, std::size_t limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "make a pipe for", argv[0]);
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) return system_error(errno, "start", argv[0]);
  if (child == 0) run_child(words.data(), directory.c_str(), writing.get());
  ::setpgid(child, child);
  writing.close();
  std::string output;
  output.reserve(limit + 4096);  // never moved, so nothing is left behind in freed memory
  const bool complete = read_all(reading.get(), std::chrono::steady_clock::now() + timeout, limit, output);
  if (!complete) ::kill(-child, SIGKILL);
  const int status = wait_for(child);
  const std::size_t size = output.size();
  Secret value(std::move(output));
  if (size > limit) return failed(argv[0], fmt::format("printed more than {} bytes", limit));
  if (!complete) return failed(argv[0], fmt::format("did not end within {} s", timeout.count() / 1000));
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotStarted) {
    return failed(argv[0], "can't be started (or ended with status 127)", "is it installed, and in PATH?");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return failed(argv[0], fmt::format("ended with status {}", WEXITSTATUS(status)),
                  "run it yourself to see why; its messages are not shown here");
  }
  if (!WIFEXITED(status)) return failed(argv[0], fmt::format("was ended by signal {}", WTERMSIG(status)));
  return value;
}

}  // namespace sentinel
