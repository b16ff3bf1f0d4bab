// SPDX-License-Identifier: Apache-2.0
// Inside of the adapter to libssh: a Channel over one libssh channel.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <memory>
#include <string>

#include "core/transport/channel.h"
#include "core/transport/libssh_session.h"

namespace sentinel {

class SshChannel final : public Channel {
 public:
  /// Opens a session channel and starts `command`.
  static Result<std::unique_ptr<Channel>> exec(SshSession::State& state, const std::string& command);

  ~SshChannel() override;

  Result<void> write(std::string_view bytes, std::chrono::milliseconds limit) override;
  Result<Received> read(std::chrono::milliseconds limit) override;
  Result<void> send_eof() override;
  Result<ExitState> wait_exit(std::chrono::milliseconds limit) override;
  void close() override;

 private:
  explicit SshChannel(SshSession::State& state);

  static void on_signal(ssh_session, ssh_channel, const char* signal, int core, const char* message,
                        const char* language, void* self);

  /// Takes over what libssh has received, handling the socket's packets on the way; never waits.
  Result<void> take_in();
  Result<void> take_in(int is_error_output, std::string& into);
  Patience patience(std::chrono::milliseconds limit) const;

  SshSession::State& state_;
  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  std::string output_;  ///< received, not yet asked for
  std::string error_output_;
  std::string signal_;
};

}  // namespace sentinel
