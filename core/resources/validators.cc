// SPDX-License-Identifier: Apache-2.0
// Commands as in the manuals of the programs; run as the service's user, because a validator may open what it names
// (Caddy creates its log files) and root's ownership of those would keep the service from starting.
#include "core/resources/validators.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace sentinel {
namespace {

constexpr std::size_t kShownBytes = 4096;

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

Validator make(std::string program, std::vector<std::string> arguments, std::string user = {}) {
  Validator out;
  out.command.argv = {program};
  out.command.argv.insert(out.command.argv.end(), arguments.begin(), arguments.end());
  out.program = std::move(program);
  out.user = std::move(user);
  return out;
}

/// A fragment below /etc/caddy is judged with the Caddyfile that imports it.
std::string caddy_config_of(const std::string& path) {
  return starts_with(path, "/etc/caddy/") ? "/etc/caddy/Caddyfile" : path;
}

/// What to verify for a unit file, or for a drop-in: the unit it belongs to. Nothing for configuration of systemd's own
/// daemons (journald.conf.d), which have no checker.
std::string unit_of(const std::string& path) {
  for (const std::string_view directory : {"/etc/systemd/system/", "/usr/local/lib/systemd/system/"}) {
    if (!starts_with(path, directory)) continue;
    const std::string rest = path.substr(directory.size());
    const auto slash = rest.find('/');
    if (slash == std::string::npos) return path;
    const auto dropin = rest.rfind(".d", slash);
    return dropin != std::string::npos && dropin + 2 == slash ? rest.substr(0, dropin) : "";
  }
  return "";
}

std::optional<Validator> validator_of_file(const File& file) {
  if (file.ensure == Ensure::kAbsent) return std::nullopt;
  switch (file.format) {
    case FileFormat::kPlain: return std::nullopt;
    case FileFormat::kSudoers: return make("/usr/sbin/visudo", {"-c", "-f", file.path});
    case FileFormat::kCaddyfile:
      return make("/usr/bin/caddy", {"validate", "--adapter", "caddyfile", "--config", caddy_config_of(file.path)},
                  "caddy");
    case FileFormat::kPrometheus: return make("/usr/bin/promtool", {"check", "config", file.path}, "prometheus");
    case FileFormat::kPrometheusRules: return make("/usr/bin/promtool", {"check", "rules", file.path}, "prometheus");
    case FileFormat::kSystemdUnit:
      if (unit_of(file.path).empty()) return std::nullopt;
      return make("/usr/bin/systemd-analyze", {"verify", "--man=no", unit_of(file.path)});
    case FileFormat::kFail2ban: return make("/usr/bin/fail2ban-client", {"-t"});
  }
  return std::nullopt;
}

std::string told_by(const CommandResult& result) {
  std::string text = result.errors.empty() ? result.output : result.errors;
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "…";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// Lines of systemd-analyze about this file or unit, but for programs that aren't there yet and for what this systemd
/// ignores because it is older than the unit was written for.
std::string complaints_about(const std::string& unit, const std::string& path, const std::string& errors) {
  const std::string name = unit.substr(unit.rfind('/') + 1);
  std::string out;
  std::size_t begin = 0;
  while (begin < errors.size()) {
    const auto end = std::min(errors.find('\n', begin), errors.size());
    const std::string line = errors.substr(begin, end - begin);
    begin = end + 1;
    const bool ours = starts_with(line, path + ":") || starts_with(line, name + ":") ||
                      line.find("unit " + name) != std::string::npos;
    const bool not_yet = line.find(" is not executable: No such file or directory") != std::string::npos;
    const bool ignored = line.find(", ignoring") != std::string::npos;
    if (ours && !not_yet && !ignored) out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

Error failed(const std::string& path, const std::string& program, const std::string& told) {
  return {"validate.failed", fmt::format("{} refuses {}: {}", program, path, told)};
}

}  // namespace

std::optional<Validator> validator_of(const ResourceBody& body) {
  if (const auto* file = std::get_if<File>(&body)) return validator_of_file(*file);
  if (std::holds_alternative<SshdConfig>(body)) return make("/usr/sbin/sshd", {"-t", "-f", "/etc/ssh/sshd_config"});
  return std::nullopt;
}

Result<void> judge(const ResourceBody& body, const CommandResult& result) {
  if (result.status == 0) return {};
  if (std::holds_alternative<SshdConfig>(body))
    return failed(std::get<SshdConfig>(body).path, "sshd -t", told_by(result));
  const auto* file = std::get_if<File>(&body);
  if (file == nullptr) return {};
  const auto validator = validator_of_file(*file);
  const std::string program =
      validator ? validator->program.substr(validator->program.rfind('/') + 1) : "the validator";
  if (file->format == FileFormat::kSystemdUnit) {
    const std::string complaints = complaints_about(unit_of(file->path), file->path, result.errors);
    if (complaints.empty()) return {};
    return failed(file->path, program, complaints);
  }
  return failed(file->path, program, told_by(result));
}

}  // namespace sentinel
