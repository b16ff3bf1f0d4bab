// SPDX-License-Identifier: Apache-2.0
// fork and exec with everything prepared before the fork: the agent may have threads, so the child must not allocate.
#include "core/system/process.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/descriptor.h"

namespace sentinel {
namespace {

using Time = std::chrono::steady_clock;

constexpr std::array<const char*, 4> kPath{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};
constexpr std::size_t kOutputLimit = 32U << 20;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "make", "a pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Input as a file in memory: no second direction to feed, and no SIGPIPE when the program doesn't read it.
Result<Descriptor> make_input(const std::string& input) {
  if (input.empty()) {
    Descriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.valid()) return system_error(errno, "open", "/dev/null");
    return null;
  }
  Descriptor memory(::memfd_create("input", MFD_CLOEXEC));
  if (!memory.valid()) return system_error(errno, "make", "a file in memory");
  std::string_view rest = input;
  while (!rest.empty()) {
    const ssize_t done = ::write(memory.get(), rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return system_error(errno, "write", "a file in memory");
    rest.remove_prefix(static_cast<std::size_t>(done));
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return system_error(errno, "rewind", "a file in memory");
  return memory;
}

/// Everything the child needs, as plain pointers.
struct Image {
  std::vector<std::string> candidates;
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;

  explicit Image(const CommandLine& command) {
    const std::string& program = command.argv.front();
    if (program.find('/') != std::string::npos) {
      candidates.push_back(program);
    } else {
      for (const char* directory : kPath) candidates.push_back(directory + program);
    }
    auto variables = command.environment;
    variables.try_emplace("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    variables.try_emplace("LC_ALL", "C.UTF-8");
    variables.try_emplace("HOME", "/root");
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    for (const auto& word : command.argv) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    for (auto& entry : environment) envp.push_back(entry.data());
    envp.push_back(nullptr);
  }
};

void close_other_descriptors(int keep) {
  // Kernels before 5.9 have no close_range.
  const auto first = static_cast<unsigned>(keep) + 1;
  if (keep > 3) ::syscall(SYS_close_range, 3U, first - 2, 0U);
  if (::syscall(SYS_close_range, first, ~0U, 0U) == 0) return;
  for (int fd = 3; fd < 4096; ++fd) {
    if (fd != keep) ::close(fd);
  }
}

[[noreturn]] void run_child(const Image& image, const ChildSetup& setup, int input, int output, int errors,
                            int report) {
  ::setsid();

  struct sigaction standard {};

  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(022);
  int failure = 0;
  // Moved out of the way first: any of them may be one of 0, 1, 2 when we were started without those.
  input = ::fcntl(input, F_DUPFD_CLOEXEC, 3);
  output = ::fcntl(output, F_DUPFD_CLOEXEC, 3);
  errors = ::fcntl(errors, F_DUPFD_CLOEXEC, 3);
  report = ::fcntl(report, F_DUPFD_CLOEXEC, 3);
  if (::dup2(input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(errors, 2) < 0 || ::chdir("/") != 0) failure = errno;
  close_other_descriptors(report);
  if (failure == 0 && setup) failure = setup();
  if (failure == 0) {
    failure = ENOENT;
    for (const auto& candidate : image.candidates) {
      ::execve(candidate.c_str(), image.argv.data(), image.envp.data());
      if (errno != ENOENT && errno != ENOTDIR) {
        failure = errno;
        break;
      }
    }
    if (failure == ENOENT) ::_exit(127);
  }
  [[maybe_unused]] const auto ignored = ::write(report, &failure, sizeof failure);
  ::_exit(126);
}

/// Splits what arrives into lines for the callback and collects all of it.
class Stream {
 public:
  Stream(Descriptor fd, std::string& into, const std::function<void(const std::string&)>& on_line)
      : fd_(std::move(fd)), into_(into), on_line_(on_line) {
    ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  }

  int fd() const { return fd_.get(); }

  /// Reads all there is now; closes itself at the end of the stream.
  void drain() {
    char buffer[64 * 1024];
    while (fd_.valid()) {
      const ssize_t got = ::read(fd_.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        fd_.close();
        return;
      }
      into_.append(buffer, static_cast<std::size_t>(got));
      if (into_.size() > kOutputLimit) return;
      tell_lines();
    }
  }

  void finish() {
    if (on_line_ && told_ < into_.size()) on_line_(into_.substr(told_));
    told_ = into_.size();
  }

 private:
  void tell_lines() {
    if (!on_line_) return;
    for (auto end = into_.find('\n', told_); end != std::string::npos; end = into_.find('\n', told_)) {
      on_line_(into_.substr(told_, end - told_));
      told_ = end + 1;
    }
  }

  Descriptor fd_;
  std::string& into_;
  const std::function<void(const std::string&)>& on_line_;
  std::size_t told_ = 0;
};

int decode_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void kill_and_reap(pid_t pid) {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// Follows the child until it exits (not until its output closes).
Result<int> follow(pid_t pid, Stream& output, Stream& errors, const CommandResult& result, const CommandLine& command) {
  const auto deadline = Time::now() + command.timeout;
  // Kernels before 5.3 have no pidfd: there, look every few milliseconds.
  const Descriptor exited(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    output.drain();
    errors.drain();
    if (result.output.size() > kOutputLimit || result.errors.size() > kOutputLimit) {
      if (ended != pid) kill_and_reap(pid);
      return Error("process.too-much-output",
                   fmt::format("{} wrote more than {} MiB", command.argv.front(), kOutputLimit >> 20));
    }
    if (ended == pid) return decode_status(status);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Time::now()).count();
    if (left <= 0) {
      kill_and_reap(pid);
      return Error("process.timeout",
                   fmt::format("{} did not end within {} s", fmt::join(command.argv, " "), command.timeout.count() / 1000.0));
    }
    pollfd watched[3] = {{output.fd(), POLLIN, 0}, {errors.fd(), POLLIN, 0}, {exited.get(), POLLIN, 0}};
    ::poll(watched, 3, static_cast<int>(exited.valid() ? std::min<long>(left, 60'000) : std::min<long>(left, 5)));
  }
}

}  // namespace

Result<CommandResult> run_process(const CommandLine& command, const ChildSetup& in_child) {
  if (command.argv.empty() || command.argv.front().empty())
    return Error("process.no-program", "no program to run was named");
  const Image image(command);
  SENTINEL_TRY(auto input, make_input(command.input));
  SENTINEL_TRY(auto output, make_pipe());
  SENTINEL_TRY(auto errors, make_pipe());
  SENTINEL_TRY(auto report, make_pipe());
  const pid_t pid = ::fork();
  if (pid < 0) return system_error(errno, "start", command.argv.front());
  if (pid == 0) run_child(image, in_child, input.get(), output.write.get(), errors.write.get(), report.write.get());
  input.close();
  output.write.close();
  errors.write.close();
  report.write.close();

  int failure = 0;
  ssize_t got = 0;
  while ((got = ::read(report.read.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (got == sizeof failure) {
    kill_and_reap(pid);
    return system_error(failure, "run", command.argv.front());
  }
  CommandResult result;
  Stream output_stream(std::move(output.read), result.output, command.on_line);
  Stream errors_stream(std::move(errors.read), result.errors, command.on_line);
  auto status = follow(pid, output_stream, errors_stream, result, command);
  output_stream.finish();
  errors_stream.finish();
  if (!status.ok()) return std::move(status).error();
  result.status = *status;
  if (result.status == 127 && result.errors.empty()) result.errors = command.argv.front() + ": not found\n";
  return result;
}

}  // namespace sentinel
