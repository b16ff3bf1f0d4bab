// SPDX-License-Identifier: Apache-2.0
// Places and small questions that observing and planning of kind `sshd` share.
#pragma once

#include <string>

#include "core/model/resource.h"
#include "core/resources/sshd_settings.h"

namespace sentinel {

inline constexpr const char* kSshdSocketDropIn = "/etc/systemd/system/ssh.socket.d/60-sentinel.conf";
/// Ubuntu's: makes ssh.socket listen where sshd's configuration says, at every daemon-reload.
inline constexpr const char* kSshdSocketGenerator = "/usr/lib/systemd/system-generators/sshd-socket-generator";

/// The drop-in as a file; without a content it is to be absent.
File sshd_file(const SshdConfig& want);

}  // namespace sentinel
