// SPDX-License-Identifier: Apache-2.0
// Contents are kept by digest, so equal files travel once.
#include "core/config/resource_collector.h"

#include <fmt/format.h>

namespace sentinel {

Result<void> ResourceCollector::add(Resource resource, const Content& content, const std::string& managed) {
  const auto [same_id, new_id] = ids_.emplace(resource.id, resource.origin);
  if (!new_id) {
    return Error("playbook.duplicate-id", fmt::format("two resources have the id '{}'", resource.id),
                 fmt::format("the other one is in {}; give one of them an 'id'", same_id->second));
  }
  if (!managed.empty()) {
    const auto [same, added] = managed_.emplace(managed, resource.origin);
    if (!added) {
      return Error("playbook.duplicate-resource", fmt::format("{} is managed twice", managed),
                   fmt::format("the other one is in {}", same->second));
    }
  }
  for (const auto& piece : content.pieces()) {
    if (const auto* hole = std::get_if<Hole>(&piece)) secrets_.insert(hole->secret);
  }
  for (const auto& reference : contents_of(resource.body)) out_.contents.emplace(reference.digest, content.serialize());
  keep_files(resource, content);
  out_.request.resources.push_back(std::move(resource));
  return {};
}

void ResourceCollector::keep_files(const Resource& resource, const Content& content) {
  const auto keep = [&](std::string path, std::string owner, std::string group, std::uint32_t mode, std::string text) {
    out_.files.push_back({resource.id, std::move(path), std::move(owner), std::move(group), mode, std::move(text)});
  };
  if (const auto* file = std::get_if<File>(&resource.body); file != nullptr && file->ensure == Ensure::kPresent) {
    keep(file->path, file->owner, file->group, file->mode, content.display());
  }
  if (const auto* sshd = std::get_if<SshdConfig>(&resource.body))
    keep(sshd->path, "root", "root", 0644, content.display());
  if (const auto* source = std::get_if<AptSource>(&resource.body);
      source != nullptr && source->ensure == Ensure::kPresent) {
    keep(fmt::format("/etc/apt/keyrings/{}.asc", source->name), "root", "root", 0644, content.display());
    keep(fmt::format("/etc/apt/sources.list.d/{}.list", source->name), "root", "root", 0644, source->line + "\n");
  }
}

Expansion ResourceCollector::finish(const Project& project, const Host& host, Value variables) && {
  out_.request.host = host.name;
  out_.request.project = project.name;
  for (const auto& secret : project.secrets) {
    if (secrets_.contains(secret.name)) out_.request.secrets.push_back(secret.spec());
  }
  out_.variables = std::move(variables);
  return std::move(out_);
}

}  // namespace sentinel
