// SPDX-License-Identifier: Apache-2.0
// The units an agent installs for itself. A transaction runs in a cgroup of its own, so that nothing sshd does can end
// it; recovery has two halves at boot, because nothing may wait for a job of systemd before the system is up. The watch runs where it has settings.
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

// The recoveries' exit status 9: somebody else holds the lease, and their end starts a recovery when one is needed. 7 and
// 70 are for a person; any other failure, a disk without room above all, is tried again.
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
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/local/bin/sentinel-agent recover
SuccessExitStatus=9
Restart=on-failure
RestartPreventExitStatus=7 70
RestartSec=15
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
Restart=on-failure
RestartPreventExitStatus=7 70
RestartSec=15
TimeoutStartSec=900
OOMScoreAdjust=-900
LimitCORE=0
)";

// Root, since probes may ask Docker's socket and systemd; and nothing more than that.
inline constexpr std::string_view kWatchUnit = R"([Unit]
Description=Sentinel: watch the application's health
ConditionPathExists=/etc/sentinel/watch.json
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=/usr/local/bin/sentinel-agent watch
Restart=always
RestartSec=2
WatchdogSec=60
TimeoutStopSec=30
MemoryMax=64M
CPUQuota=25%
TasksMax=64
LimitCORE=0
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths=-/var/lib/sentinel
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
)";

// Not part of the watch: going back needs what the watch may not do.
inline constexpr std::string_view kRollbackUnit = R"([Unit]
Description=Sentinel: take back the current release of %i
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/local/bin/sentinel-agent rollback --app %i
TimeoutStartSec=900
LimitCORE=0
)";

inline constexpr std::array<UnitFile, 6> kUnits{{
    {"sentinel-transaction@.service", kTransactionUnit, ""},
    {"sentinel-recover.service", kRecoverUnit, "sysinit.target"},
    {"sentinel-recover-late.service", kRecoverLateUnit, "multi-user.target"},
    {"sentinel-recover-now.service", kRecoverNowUnit, ""},
    {"sentinel-watch.service", kWatchUnit, "multi-user.target"},
    {"sentinel-rollback@.service", kRollbackUnit, ""},
}};

}  // namespace sentinel::agent
