// SPDX-License-Identifier: Apache-2.0
// Order is what a playbook says of needs: within a role, later resources may rest on earlier ones.
#include "core/config/narrowing.h"

#include <algorithm>
#include <set>
#include <variant>

#include "core/model/content.h"

namespace sentinel {
namespace {

std::string role_of(const std::string& id) {
  return id.substr(0, id.find('/'));
}

bool is_account(const Resource& resource) {
  return std::holds_alternative<User>(resource.body) || std::holds_alternative<Group>(resource.body) ||
         std::holds_alternative<AuthorizedKeys>(resource.body);
}

void drop_unused(Expansion& expansion) {
  std::set<std::string> contents;
  std::set<std::string> secrets;
  for (const Resource& resource : expansion.request.resources) {
    for (const ContentRef& reference : contents_of(resource.body)) {
      contents.insert(reference.digest);
      const auto bytes = expansion.contents.find(reference.digest);
      if (bytes == expansion.contents.end()) continue;
      const auto content = Content::parse(bytes->second, reference.holes);
      if (!content.ok()) continue;  // it was serialized here
      for (const auto& piece : content->pieces()) {
        if (const auto* hole = std::get_if<Hole>(&piece)) secrets.insert(hole->secret);
      }
    }
  }
  std::erase_if(expansion.contents, [&](const auto& entry) { return !contents.contains(entry.first); });
  std::erase_if(expansion.request.secrets, [&](const SecretSpec& spec) { return !secrets.contains(spec.name); });
}

}  // namespace

std::vector<std::string> narrow(Expansion& expansion, const std::vector<std::string>& steps) {
  auto& resources = expansion.request.resources;
  std::vector<std::string> missing;
  std::set<std::size_t> kept;
  for (const std::string& step : steps) {
    const auto named =
        std::find_if(resources.begin(), resources.end(), [&](const Resource& r) { return r.id == step; });
    if (named == resources.end()) {
      missing.push_back(step);
      continue;
    }
    const auto index = static_cast<std::size_t>(named - resources.begin());
    const bool is_sshd = std::holds_alternative<SshdConfig>(named->body);
    for (std::size_t i = 0; i <= index; ++i) {
      if (role_of(resources[i].id) == role_of(step) || (is_sshd && is_account(resources[i]))) kept.insert(i);
    }
  }
  std::vector<Resource> left;
  for (const std::size_t index : kept) left.push_back(std::move(resources[index]));
  resources = std::move(left);
  drop_unused(expansion);
  return missing;
}

}  // namespace sentinel
