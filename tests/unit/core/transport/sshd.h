// SPDX-License-Identifier: Apache-2.0
// A throw-away sshd on loopback with host keys, a user's keys and configuration of its own. It lets in whoever runs the
// tests, with keys from the test's directory; root isn't needed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/transport/session.h"

namespace sentinel::test {

/// A private directory that is removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path(const std::string& name = {}) const;
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const;

 private:
  std::string path_;
};

/// A child process, killed and reaped at the end.
class Process {
 public:
  Process(const std::vector<std::string>& argv, const std::string& output_file);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  /// Exit status, waiting for the end.
  int wait();

 private:
  pid_t pid_ = -1;
};

/// Runs to the end; output of both streams. Terminates the test program when the command fails.
std::string run(const std::vector<std::string>& argv);

/// A port nobody listens on at the moment.
std::uint16_t free_port();
/// A new key of `type` at `path`; returns its public line "type base64".
std::string make_key(const std::string& path, const std::string& type = "ed25519", const std::string& passphrase = {});

class Sshd {
 public:
  /// Host keys of `key_types` (ssh-keygen's names), started and answering.
  explicit Sshd(std::vector<std::string> key_types = {"ed25519"}, const std::string& extra_configuration = {});
  ~Sshd();

  std::uint16_t port() const { return port_; }

  /// "type base64" of the host's key of that type.
  const std::string& host_key(std::size_t index = 0) const { return host_keys_[index]; }

  /// Makes `public_line` (or nothing) the only key accepted.
  void authorize(const std::string& public_line);

  std::string identity() const { return directory_.path("id"); }

  std::string known_hosts() const { return directory_.path("known_hosts"); }

  const TemporaryDirectory& directory() const { return directory_; }

  /// Everything sshd has logged.
  std::string log() const;
  /// The processes that serve connections at the moment, with all they have started.
  std::vector<pid_t> serving() const;

  /// Ourselves at 127.0.0.1 with the authorized identity alone and the host key pinned.
  SshTarget target() const;

 private:
  TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::vector<std::string> host_keys_;
  std::unique_ptr<Process> process_;
};

/// Options with short limits, so that a test that hangs fails soon.
ConnectOptions quick();
/// A session, or an exception with the error's text.
std::unique_ptr<SshSession> connected(const SshTarget& target, const ConnectOptions& options = quick());

}  // namespace sentinel::test
