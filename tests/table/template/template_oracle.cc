// SPDX-License-Identifier: Apache-2.0
// Renders the cases given as JSON on stdin and prints what came out, for compare.py to hold against the real Jinja2.
// In:  [{"template", "variables", "includes": {name: text}}]   Out: [{"text"} or {"code", "message", "line", "column"}]
#include <iostream>
#include <iterator>
#include <string>

#include "core/template/template.h"

namespace {

class GivenSources final : public sentinel::TemplateSources {
 public:
  explicit GivenSources(const sentinel::Value& texts) : texts_(texts) {}

  sentinel::Result<std::optional<sentinel::TemplateSource>> load(const std::string& name) const override {
    const auto found = texts_.find(name);
    if (found == texts_.end()) return std::optional<sentinel::TemplateSource>();
    return {sentinel::TemplateSource{name, found->get<std::string>()}};
  }

 private:
  const sentinel::Value& texts_;
};

sentinel::Value run(const sentinel::Value& test) {
  const GivenSources sources(test.at("includes"));
  sentinel::RenderOptions options;
  options.origin.file = "case";
  options.includes = &sources;
  const auto text =
      sentinel::render_text(test.at("template").get_ref<const std::string&>(), test.at("variables"), options);
  if (text.ok()) return {{"text", *text}};
  const auto& position = text.error().position;
  return {{"code", text.error().code},
          {"message", text.error().message},
          {"line", position ? position->line : 0},
          {"column", position ? position->column : 0}};
}

}  // namespace

int main() {
  const std::string input((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  sentinel::Value results = sentinel::Value::array();
  for (const auto& test : sentinel::Value::parse(input)) results.push_back(run(test));
  std::cout << results.dump() << "\n";
  return 0;
}
