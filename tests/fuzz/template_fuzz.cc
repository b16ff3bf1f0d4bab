// SPDX-License-Identifier: Apache-2.0
// Any bytes as a template, an expression and a quoted value. Beyond not crashing: an error has a place inside the text,
// a text comes out the same twice, and a template that renders can also be asked for its variables.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "core/base/quote.h"
#include "core/base/utf8.h"
#include "core/template/template.h"

namespace {

using namespace sentinel;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every include gives the text itself, or another one that ends.
class SelfSources final : public TemplateSources {
 public:
  explicit SelfSources(std::string text) : text_(std::move(text)) {}

  Result<std::optional<TemplateSource>> load(const std::string& name) const override {
    if (name == "missing") return std::optional<TemplateSource>();
    return {TemplateSource{name, name == "self" ? text_ : "{{ name }}\n"}};
  }

 private:
  std::string text_;
};

const Value& variables() {
  static const Value kVariables = Value::parse(R"({
    "name": "web", "n": 7, "f": 2.5, "on": true, "off": false, "nothing": null, "s": "Grüße \"x\"\n",
    "list": [3, 1, 2], "words": ["b", "A", "c"], "d": {"a": 1, "items": [], "k": {"x": "y"}},
    "users": [{"name": "bob", "uid": 1000}, {"name": "eve"}]
  })");
  return kVariables;
}

void check_error(const Error& error, const std::string& text) {
  require(!error.code.empty() && !error.message.empty());
  require(error.position.has_value());
  if (error.position->file != "fuzz") return;  // inside an include
  require(error.position->line >= 1 && error.position->column >= 1 && error.position->length >= 1);
  require(static_cast<std::size_t>(error.position->line) <= text.size() + 1);
  require(static_cast<std::size_t>(error.position->column) <= error.position->source_line.size() + 2);
}

void check_quoting(const std::string& text) {
  for (const char* filter : {"shell", "systemd", "systemd_exec", "yaml", "caddy", "ini", "b64encode"}) {
    const auto quoted = apply_quoting(filter, text);
    if (!quoted.ok())
      require(quoted.error().code == "quote.not-text" || quoted.error().code == "quote.not-expressible");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_quoting(text);
  const SelfSources sources(text);
  RenderOptions options;
  options.origin.file = "fuzz";
  options.includes = &sources;
  options.secrets = {"KEY"};
  options.limits.output_bytes = 1U << 16;
  options.limits.iterations = 10'000;
  options.limits.work = 1U << 22;

  const auto content = render_content(text, variables(), options);
  if (content.ok()) {
    const auto again = render_content(text, variables(), options);
    require(again.ok() && *again == *content);
    require(content->has_holes() || invalid_utf8(content->serialize()) == std::string::npos);
    require(referenced_variables(text, options).ok());
  } else {
    check_error(content.error(), text);
  }
  const auto value = evaluate(text, variables(), options);
  if (!value.ok()) check_error(value.error(), text);
  return 0;
}
