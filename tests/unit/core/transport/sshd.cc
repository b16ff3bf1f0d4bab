// SPDX-License-Identifier: Apache-2.0
// Started as `sshd -D -e`; it answers once its log says so, so nothing needs to be probed.
#include "sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "core/base/descriptor.h"
#include "core/base/file.h"

namespace sentinel::test {

namespace {

[[noreturn]] void give_up(const std::string& why) {
  throw std::runtime_error(why);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  char pattern[] = "/tmp/sentinel-transport-XXXXXX";
  if (::mkdtemp(pattern) == nullptr) give_up("mkdtemp");
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  run({"rm", "-rf", path_});
}

std::string TemporaryDirectory::path(const std::string& name) const {
  return name.empty() ? path_ : path_ + "/" + name;
}

std::string TemporaryDirectory::write(const std::string& name, const std::string& text, mode_t mode) const {
  if (!make_directories(parent_directory(path(name)), 0700).ok()) give_up("make the directory of " + name);
  if (!replace_file(path(name), text, {::getuid(), ::getgid(), mode}).ok()) give_up("write " + name);
  return path(name);
}

Process::Process(const std::vector<std::string>& argv, const std::string& output_file) {
  pid_ = ::fork();
  if (pid_ == 0) {
    const int output = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    const int null = ::open("/dev/null", O_RDONLY);
    ::dup2(null, STDIN_FILENO);
    std::vector<char*> arguments;
    for (const auto& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
}

int Process::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string run(const std::vector<std::string>& argv) {
  char pattern[] = "/tmp/sentinel-run-XXXXXX";
  const Descriptor file(::mkstemp(pattern));
  const int status = Process(argv, pattern).wait();
  const auto text = read_whole_file(pattern);
  ::unlink(pattern);
  if (status != 0) give_up(fmt::format("{}: {} {}", fmt::join(argv, " "), status, text.ok() ? *text : ""));
  return *text;
}

std::uint16_t free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) give_up("bind");
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

std::string make_key(const std::string& path, const std::string& type, const std::string& passphrase) {
  run({"ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path});
  const auto line = read_whole_file(path + ".pub");
  return line->substr(0, line->rfind(" test"));
}

// sshd takes the first value it reads, so what a test asks for stands in front.
Sshd::Sshd(std::vector<std::string> key_types, const std::string& extra_configuration) : port_(free_port()) {
  std::string configuration = fmt::format(
      "ListenAddress 127.0.0.1\nPort {}\nPidFile none\nUsePAM no\nPasswordAuthentication "
      "no\nKbdInteractiveAuthentication no\n"
      "StrictModes no\nPermitRootLogin yes\nMaxStartups 100\nAuthorizedKeysFile {}\nLogLevel VERBOSE\nSetEnv HOME={}\n",
      port_, directory_.path("authorized_keys"), directory_.path());
  for (const auto& type : key_types) {
    const std::string file = directory_.path("host_" + type);
    host_keys_.push_back(make_key(file, type));
    configuration += fmt::format("HostKey {}\n", file);
  }
  authorize(make_key(identity()));
  directory_.write("known_hosts", "");
  const std::string file = directory_.write("sshd_config", extra_configuration + configuration);
  if (::getuid() == 0) run({"mkdir", "-p", "/run/sshd"});
  process_ = std::make_unique<Process>(std::vector<std::string>{"/usr/sbin/sshd", "-D", "-e", "-f", file},
                                       directory_.path("log"));
  for (int i = 0; log().find("Server listening") == std::string::npos; ++i) {
    if (i == 1000) give_up("sshd does not start: " + log());
    ::poll(nullptr, 0, 5);
  }
}

Sshd::~Sshd() {
  for (const pid_t child : serving()) ::kill(child, SIGKILL);
}

std::vector<pid_t> Sshd::serving() const {
  std::vector<pid_t> found = {process_->pid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::istringstream text(read_whole_file(fmt::format("/proc/{0}/task/{0}/children", found[i])).value_or(""));
    for (pid_t child = 0; text >> child;) found.push_back(child);
  }
  found.erase(found.begin());
  return found;
}

void Sshd::authorize(const std::string& public_line) {
  directory_.write("authorized_keys", public_line + "\n");
}

std::string Sshd::log() const {
  return read_whole_file(directory_.path("log")).value_or("");
}

SshTarget Sshd::target() const {
  SshTarget target;
  target.name = "test";
  target.address = "127.0.0.1";
  target.port = port_;
  target.user = SshEnvironment::of_process().user;
  target.identities = {identity()};
  target.identities_only = true;
  target.host_key_pin = host_keys_.front();
  target.known_hosts_files = {known_hosts()};
  return target;
}

ConnectOptions quick() {
  ConnectOptions options;
  options.timeout = std::chrono::seconds(10);
  return options;
}

std::unique_ptr<SshSession> connected(const SshTarget& target, const ConnectOptions& options) {
  auto session = SshSession::connect(target, options);
  if (!session.ok()) give_up(session.error().code + ": " + session.error().message);
  return std::move(*session);
}

}  // namespace sentinel::test
