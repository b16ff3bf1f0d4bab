// SPDX-License-Identifier: Apache-2.0
// Units that have to run now and after a reboot.
#include "core/audit/units.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/audit/families.h"
#include "core/audit/ruling.h"

namespace sentinel {

void judge_unit(const std::string& name, const nlohmann::json& units, Ruling& ruling) {
  const auto& unit = units.at(name);
  const auto load = unit.at("load").get<std::string>();
  const auto active = unit.at("active").get<std::string>();
  const auto file = unit.at("file_state").get<std::string>();
  ruling.saw("units", fmt::format("{}: {}, {}, {}", name, load, active, file.empty() ? "no unit file" : file),
             "systemctl show");
  if (load == "not-found") return ruling.fault(fmt::format("{} is not there", name));
  if (load == "masked" || file.starts_with("masked")) return ruling.fault(fmt::format("{} is masked", name));
  if (active != "active" && active != "reloading") {
    ruling.fault(fmt::format("{} is {}", name, active), Persistence::kRuntimeOnly);
  }
  const bool starts = file == "enabled" || file == "static" || file == "generated" || file == "alias";
  if (!starts) ruling.fault(fmt::format("{} is {}", name, file.empty() ? "not enabled" : file), Persistence::kBootOnly);
}

void judge_timer(const std::string& name, const nlohmann::json& units, Ruling& ruling) {
  judge_unit(name + ".timer", units, ruling);
  if (units.at(name + ".service").at("load") == "masked") ruling.fault(name + ".service is masked");
}

std::vector<ProbeOrder> unit_orders(const std::vector<std::string>& names, const char* probe) {
  std::vector<ProbeOrder> out{{"units", {{"units", names}}}};
  if (probe != nullptr) out.push_back({probe, nlohmann::json::object()});
  return out;
}

namespace {

/// with: {units: [name]}
Result<Judged> judge_units(const Case& subject) {
  const auto names = subject.with().at("units").get<std::vector<std::string>>();
  if (names.empty()) return Error("audit.unseen", "the control names no unit");
  SENTINEL_TRY(const auto* units, subject.seen("units"));
  Ruling ruling(fmt::format("active, and started at boot: {}", fmt::join(names, ", ")));
  for (const auto& name : names) judge_unit(name, *units, ruling);
  return std::move(ruling).close("active and enabled", Persistence::kBoth);
}

}  // namespace

std::vector<Judgement> unit_judgements() {
  return {{"units-up",
           [](const nlohmann::json& with) { return unit_orders(with.value("units", std::vector<std::string>())); },
           judge_units}};
}

}  // namespace sentinel
