// SPDX-License-Identifier: Apache-2.0
// A text is parsed by asking the renderer which variables it reads.
#include "core/config/template_check.h"

#include <fmt/format.h>

#include "core/base/suggest.h"

namespace sentinel {
namespace {

constexpr const char* kTemplates = "templates/";

}  // namespace

Result<std::optional<TemplateSource>> TemplateFiles::load(const std::string& name) const {
  SENTINEL_TRY(auto asset, assets_.find(kTemplates + name, kTemplateBytes));
  if (!asset) return std::optional<TemplateSource>();
  return std::optional<TemplateSource>(TemplateSource{asset->shown_path, std::move(asset->bytes)});
}

std::vector<std::string> TemplateFiles::names() const {
  return assets_.list(kTemplates);
}

Result<TemplateSource> TemplateFiles::require(const std::string& name) const {
  SENTINEL_TRY(auto source, load(name));
  if (source) return std::move(*source);
  return Error("template.missing", fmt::format("there is no template '{}'", name), did_you_mean(name, names()),
               ExitCode::kUsage);
}

void TemplateCheck::add(Error error, const Node& where) {
  if (!error.position) error.position = where.position();
  diagnostics_.add(std::move(error));
}

void TemplateCheck::check_texts(const Node& node) {
  if (node.is_scalar() && has_template_syntax(node.text)) {
    RenderOptions options;
    options.origin = node.origin();
    if (auto names = referenced_variables(node.text, options); !names.ok()) add(std::move(names).error(), node);
  }
  for (const auto& item : node.items) check_texts(item);
  for (const auto& entry : node.entries) check_texts(entry.value);
}

void TemplateCheck::check_expression(const Node& node) {
  if (!node.is_scalar()) return;
  if (has_template_syntax(node.text)) {
    return add(Error("playbook.braces", "an expression stands without braces here", "write it without '{{' and '}}'"),
               node);
  }
  constexpr std::string_view kOpen = "{{ ";
  RenderOptions options;
  options.origin = node.origin();
  options.origin.column -= static_cast<int>(kOpen.size());
  auto names = referenced_variables(fmt::format("{}{} }}}}", kOpen, node.text), options);
  if (names.ok()) return;
  // Said again in terms of the expression alone, without the braces we added.
  options.origin = node.origin();
  auto alone = evaluate(node.text, Value::object(), options);
  add(alone.ok() ? std::move(names).error() : std::move(alone).error(), node);
}

void TemplateCheck::check_file(const Node& body) {
  if (const Node* name = body.find("template");
      name != nullptr && name->is_scalar() && !has_template_syntax(name->text)) {
    auto source = files_.require(name->text);
    if (!source.ok()) return add(std::move(source).error(), *name);
    if (!checked_.insert(name->text).second) return;
    RenderOptions options;
    options.origin.file = source->path;
    if (auto names = referenced_variables(source->text, options); !names.ok()) add(std::move(names).error(), *name);
  }
  if (const Node* name = body.find("source");
      name != nullptr && name->is_scalar() && !has_template_syntax(name->text)) {
    auto asset = assets_.find(name->text, kSourceBytes);
    if (asset.ok() && !asset->has_value()) {
      asset = Error("asset.missing", fmt::format("there is no file '{}' in the project", name->text));
    }
    if (!asset.ok()) add(std::move(asset).error(), *name);
  }
}

}  // namespace sentinel
