// SPDX-License-Identifier: Apache-2.0
// The units an agent installs for itself. A transaction runs in a cgroup of its own, so that nothing sshd does can end
// it; recovery has two halves at boot, because nothing may wait for a job of systemd before the system is up.
#pragma once

#include <array>
#include <string_view>

namespace sentinel::agent {

struct UnitFile {
  std::string_view name;
  std::string_view text;
  std::string_view wanted_by;  ///< target whose .wants gets a link; empty: started on demand
};

inline constexpr std::string_view kTransactionUnit = R"([Unit]
Description=Sentinel transaction %i
OnFailure=sentinel-recover-now.service
CollectMode=inactive-or-failed
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/local/bin/sentinel-agent transaction %i
KillMode=mixed
OOMScoreAdjust=-900
WatchdogSec=10
TimeoutStartSec=20
TimeoutStopSec=10
LimitCORE=0
)";

// The recoveries' exit status 9: somebody else holds the lease, and their end starts a recovery when one is needed.
inline constexpr std::string_view kRecoverUnit = R"([Unit]
Description=Sentinel: put back the files of an interrupted transaction
DefaultDependencies=no
ConditionPathExistsGlob=/var/lib/sentinel/journal/*/log
RequiresMountsFor=/var/lib/sentinel /etc /usr
After=local-fs.target
Before=sysinit.target network-pre.target ssh.service ssh.socket ufw.service docker.service caddy.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
ExecStart=/usr/local/bin/sentinel-agent recover --files
TimeoutStartSec=60
LimitCORE=0

[Install]
WantedBy=sysinit.target
)";

inline constexpr std::string_view kRecoverLateUnit = R"([Unit]
Description=Sentinel: finish or undo an interrupted transaction
ConditionPathExistsGlob=/var/lib/sentinel/journal/*/log
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/local/bin/sentinel-agent recover
SuccessExitStatus=9
TimeoutStartSec=900
LimitCORE=0

[Install]
WantedBy=multi-user.target
)";

inline constexpr std::string_view kRecoverNowUnit = R"([Unit]
Description=Sentinel: undo a transaction whose process died
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/local/bin/sentinel-agent recover
SuccessExitStatus=9
TimeoutStartSec=900
OOMScoreAdjust=-900
LimitCORE=0
)";

inline constexpr std::array<UnitFile, 4> kUnits{{
    {"sentinel-transaction@.service", kTransactionUnit, ""},
    {"sentinel-recover.service", kRecoverUnit, "sysinit.target"},
    {"sentinel-recover-late.service", kRecoverLateUnit, "multi-user.target"},
    {"sentinel-recover-now.service", kRecoverNowUnit, ""},
}};

}  // namespace sentinel::agent
