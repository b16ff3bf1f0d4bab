// SPDX-License-Identifier: Apache-2.0
// Shorthand of the renderer's tests: options with a few declared secrets and includes from a map.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/template/template.h"

namespace sentinel {

class MapSources final : public TemplateSources {
 public:
  using Texts = std::map<std::string, std::string>;

  explicit MapSources(Texts texts) : texts_(std::move(texts)) {}

  Result<std::optional<TemplateSource>> load(const std::string& name) const override {
    if (name == "unreadable") return Error("system.EACCES", "cannot open unreadable: permission denied");
    const auto found = texts_.find(name);
    if (found == texts_.end()) return std::optional<TemplateSource>();
    return {TemplateSource{"templates/" + name, found->second}};
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, text] : texts_) out.push_back(name);
    return out;
  }

 private:
  Texts texts_;
};

inline RenderOptions test_options(const TemplateSources* includes = nullptr) {
  RenderOptions out;
  out.origin.file = "site.conf";
  out.includes = includes;
  out.secrets = {"API_KEY", "REDIS_PASSWORD"};
  return out;
}

inline Value test_variables() {
  return Value::parse(R"({
    "name": "web-1", "count": 3, "ratio": 2.5, "on": true, "nothing": null, "empty": "",
    "list": [1, 2, 3], "words": ["b", "a"], "server": {"port": 8080, "address": "203.0.113.10", "items": "x"},
    "which": "API_KEY"
  })");
}

}  // namespace sentinel
