// SPDX-License-Identifier: Apache-2.0
// Names of kinds and effects, and which contents a resource refers to.
#include "core/model/resource.h"

#include <fmt/format.h>

#include "core/model/kinds.h"

namespace sentinel {

std::string kind_of(const ResourceBody& body) {
  return std::visit([](const auto& value) { return std::string(kind_name<std::decay_t<decltype(value)>>); }, body);
}

std::string to_string(FileFormat format) { return name_of(kFileFormatNames, format); }

std::string to_string(const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::kDaemonReload: return "daemon-reload";
    case Effect::Kind::kReload: return "reload " + effect.unit;
    case Effect::Kind::kRestart: return "restart " + effect.unit;
  }
  return {};
}

Result<Effect> parse_effect(const std::string& text) {
  if (text == "daemon-reload") return Effect{Effect::Kind::kDaemonReload, {}};
  const auto space = text.find(' ');
  const std::string verb = text.substr(0, space);
  std::string unit = space == std::string::npos ? std::string() : text.substr(space + 1);
  if ((verb != "reload" && verb != "restart") || unit.empty() || unit.find_first_of(" /") != std::string::npos) {
    return Error("effect.unknown", fmt::format("'{}' is not an effect", text),
                 "write 'daemon-reload', 'reload UNIT' or 'restart UNIT'", ExitCode::kUsage);
  }
  if (unit.find('.') == std::string::npos) unit += ".service";
  return Effect{verb == "reload" ? Effect::Kind::kReload : Effect::Kind::kRestart, unit};
}

std::vector<ContentRef> contents_of(const ResourceBody& body) {
  std::vector<ContentRef> out;
  if (const auto* file = std::get_if<File>(&body)) out.push_back(file->content);
  if (const auto* sshd = std::get_if<SshdConfig>(&body)) out.push_back(sshd->content);
  if (const auto* source = std::get_if<AptSource>(&body)) out.push_back(source->key);
  std::erase_if(out, [](const ContentRef& content) { return content.digest.empty(); });
  return out;
}

}  // namespace sentinel
