// SPDX-License-Identifier: Apache-2.0
// The names of the model's closed sets, in one place: resource kinds, actions, formats.
#pragma once

#include <string_view>

#include "core/model/enum_names.h"
#include "core/model/kind_codec.h"
#include "core/model/plan.h"
#include "core/model/resource.h"

namespace sentinel {

template <> inline constexpr std::string_view kind_name<File> = "file";
template <> inline constexpr std::string_view kind_name<SshdConfig> = "sshd";
template <> inline constexpr std::string_view kind_name<Directory> = "directory";
template <> inline constexpr std::string_view kind_name<Link> = "link";
template <> inline constexpr std::string_view kind_name<Package> = "package";
template <> inline constexpr std::string_view kind_name<AptSource> = "apt_source";
template <> inline constexpr std::string_view kind_name<User> = "user";
template <> inline constexpr std::string_view kind_name<Group> = "group";
template <> inline constexpr std::string_view kind_name<AuthorizedKeys> = "authorized_keys";
template <> inline constexpr std::string_view kind_name<Sysctl> = "sysctl";
template <> inline constexpr std::string_view kind_name<Service> = "service";
template <> inline constexpr std::string_view kind_name<Firewall> = "firewall";
template <> inline constexpr std::string_view kind_name<Command> = "command";

template <> inline constexpr std::string_view kind_name<WriteFile> = "write_file";
template <> inline constexpr std::string_view kind_name<RemoveFile> = "remove_file";
template <> inline constexpr std::string_view kind_name<MakeDirectory> = "make_directory";
template <> inline constexpr std::string_view kind_name<RemoveDirectory> = "remove_directory";
template <> inline constexpr std::string_view kind_name<MakeLink> = "make_link";
template <> inline constexpr std::string_view kind_name<SetAttributes> = "set_attributes";
template <> inline constexpr std::string_view kind_name<RunCommand> = "run_command";
template <> inline constexpr std::string_view kind_name<InstallPackages> = "install_packages";
template <> inline constexpr std::string_view kind_name<RemovePackages> = "remove_packages";
template <> inline constexpr std::string_view kind_name<PurgePackagesAddedSince> = "purge_packages_added_since";
template <> inline constexpr std::string_view kind_name<SetKernelParameter> = "set_kernel_parameter";
template <> inline constexpr std::string_view kind_name<RestoreFirewall> = "restore_firewall";

inline constexpr EnumNames<FileFormat, 7> kFileFormatNames{{{FileFormat::kPlain, "plain"},
                                                            {FileFormat::kSudoers, "sudoers"},
                                                            {FileFormat::kCaddyfile, "caddyfile"},
                                                            {FileFormat::kPrometheus, "prometheus"},
                                                            {FileFormat::kPrometheusRules, "prometheus_rules"},
                                                            {FileFormat::kSystemdUnit, "systemd_unit"},
                                                            {FileFormat::kFail2ban, "fail2ban"}}};

inline constexpr EnumNames<Ensure, 2> kEnsureNames{{{Ensure::kPresent, "present"}, {Ensure::kAbsent, "absent"}}};

inline constexpr EnumNames<Risk, 4> kRiskNames{{{Risk::kNone, "none"},
                                                {Risk::kService, "service"},
                                                {Risk::kLockout, "lockout"},
                                                {Risk::kIrreversible, "irreversible"}}};

}  // namespace sentinel
