// SPDX-License-Identifier: Apache-2.0
// A program that came as a package: the file is the package's, and what runs is that file.
#include <fmt/format.h>

#include "core/audit/families.h"
#include "core/audit/ruling.h"

namespace sentinel {
namespace {

using nlohmann::json;

constexpr std::string_view kDeleted = " (deleted)";

/// The file against what the package brought.
void judge_file(const std::string& path, const json& program, Ruling& ruling) {
  if (!program.at("exists").get<bool>()) return ruling.fault(path + " is gone");
  if (program.at("untouched").get<bool>())
    return ruling.saw("program", path + " is untouched since it was installed", "/var/lib/dpkg/info");
  const auto& recorded = program.at("recorded");
  if (!recorded.is_string() || recorded.get<std::string>().size() != 32)
    return ruling.cannot_tell(fmt::format("what {} was when it was installed", path));
  const auto found = program.at("found").get<std::string>();
  ruling.saw("program", fmt::format("{}: MD5 {}, the package's {}", path, found, recorded.get<std::string>()),
             "/var/lib/dpkg/info");
  if (found != recorded) ruling.fault(fmt::format("{} is not the package's", path));
}

/// What runs against the file. A service that is off runs nothing: other rows say so.
void judge_process(const std::string& path, const json& program, Ruling& ruling) {
  const auto pid = program.at("pid").get<std::int64_t>();
  if (pid == 0) return;
  const auto exe = program.at("exe").get<std::string>();
  ruling.saw("program", fmt::format("process {} runs {}", pid, exe), fmt::format("/proc/{}/exe", pid));
  if (exe == path) return;
  if (exe == path + std::string(kDeleted)) {
    ruling.fault("what runs was replaced on disk since it was started", Persistence::kRuntimeOnly);
  } else if (exe.empty()) {
    ruling.cannot_tell(fmt::format("what process {} runs", pid));
  } else {
    ruling.fault(fmt::format("what runs is {}, not the package's {}", exe, path));
  }
}

/// with: {package, path, unit}
Result<Judged> judge_program(const Case& subject) {
  const auto path = subject.with().at("path").get<std::string>();
  SENTINEL_TRY(const auto* programs, subject.seen("program"));
  const auto& program = programs->at(path);
  const auto package = program.at("package").get<std::string>();
  Ruling ruling(fmt::format("{} is installed, {} is as it came, and is what runs", package, path));
  const auto state = program.at("state").get<std::string>();
  const auto version = program.at("version").get<std::string>();
  ruling.saw("program", fmt::format("{} {} {}", package, state, version), "/var/lib/dpkg/status");
  if (state != "installed") {
    ruling.fault(fmt::format("the package {} is {}", package, state));
  } else {
    judge_file(path, program, ruling);
    judge_process(path, program, ruling);
  }
  return std::move(ruling).close(fmt::format("{} {}", package, version), Persistence::kBoth);
}

std::vector<ProbeOrder> ask_program(const json& with) {
  if (!with.contains("unit")) return {{"program", {{"programs", json::array()}}}};
  return {{"program", {{"programs", {with}}, {"units", {with.at("unit")}}}}};
}

}  // namespace

std::vector<Judgement> program_judgements() {
  return {{"program-as-packaged", ask_program, judge_program}};
}

}  // namespace sentinel
