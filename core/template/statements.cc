// SPDX-License-Identifier: Apache-2.0
// Running of statements. Scopes follow Jinja: loops, `with` and captured blocks have their own, `if` has none, and each
// pass of a loop starts fresh.
#include <fmt/format.h>

#include <algorithm>

#include "core/base/suggest.h"
#include "core/template/lexer.h"
#include "core/template/operators.h"
#include "core/template/parser.h"
#include "core/template/python_text.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {

class Runtime::ScopeGuard {
 public:
  explicit ScopeGuard(Runtime& runtime) : runtime_(runtime), depth_(runtime.scopes_.size()) {
    runtime_.scopes_.emplace_back();
  }

  ~ScopeGuard() { runtime_.scopes_.resize(depth_); }

  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

  void clear() { runtime_.scopes_.back().clear(); }

 private:
  Runtime& runtime_;
  std::size_t depth_;
};

Runtime::Runtime(const Value& variables, const RenderOptions& options)
    : variables_(variables), options_(options), budget_(options.limits) {
  scopes_.emplace_back();
}

Result<void> Runtime::render(const Template& parsed, Output& output) {
  source_ = parsed.source.get();
  return run(parsed.body, output);
}

Result<void> Runtime::run(const Block& block, Output& output) {
  for (const auto& statement : block) {
    SENTINEL_CHECK(run_statement(statement, output));
    if (output.size() > options_.limits.output_bytes) {
      return place(budget_.text(output.size()).error(), statement.span);
    }
  }
  return {};
}

Result<void> Runtime::run_statement(const Statement& statement, Output& output) {
  using Kind = Statement::Kind;
  if (auto paid = budget_.work(64 + statement.text.size()); !paid.ok())
    return place(std::move(paid).error(), statement.span);
  switch (statement.kind) {
    case Kind::kText: output.text(statement.text); return {};
    case Kind::kPrint: return run_print(statement, output);
    case Kind::kIf: return run_if(statement, output);
    case Kind::kFor: return run_for(statement, output);
    case Kind::kSet: return run_set(statement);
    case Kind::kWith: return run_with(statement, output);
    case Kind::kInclude: return run_include(statement, output);
    case Kind::kSetBlock: {
      SENTINEL_TRY(Datum value, captured(statement));
      return assign(statement.targets[0], std::move(value));
    }
    case Kind::kFilterBlock: {
      SENTINEL_TRY(const Datum value, captured(statement));
      if (value.as_text() == nullptr) {
        return place(type_error(fmt::format("the block's filter gives a {}, not a text", type_name(value))),
                     statement.expression->name_span);
      }
      output.text(*value.as_text());
      return {};
    }
  }
  return {};
}

Result<void> Runtime::run_print(const Statement& statement, Output& output) {
  SENTINEL_TRY(const Datum value, evaluate(*statement.expression));
  if (const auto* hole = value.get<std::shared_ptr<const Hole>>()) {
    output.hole(**hole);
    return {};
  }
  auto text = to_text(value, budget_);
  if (!text.ok()) return place(std::move(text).error(), statement.span);
  output.text(*text);
  return {};
}

Result<void> Runtime::run_if(const Statement& statement, Output& output) {
  for (const auto& branch : statement.branches) {
    SENTINEL_TRY(const bool chosen, condition(*branch.condition));
    if (chosen) return run(branch.body, output);
  }
  return run(statement.otherwise, output);
}

Result<std::vector<Datum>> Runtime::loop_items(const Statement& statement) {
  SENTINEL_TRY(const Datum value, evaluate(*statement.expression));
  auto items = iterate(value, budget_);
  if (!items.ok()) return place(std::move(items).error(), statement.expression->span);
  if (statement.condition == nullptr) return items;
  std::vector<Datum> out;
  ScopeGuard scope(*this);
  for (auto& item : *items) {
    scope.clear();
    SENTINEL_CHECK(assign(statement.targets[0], item));
    SENTINEL_TRY(const bool wanted, condition(*statement.condition));
    if (wanted) out.push_back(std::move(item));
  }
  return out;
}

Result<void> Runtime::run_for(const Statement& statement, Output& output) {
  SENTINEL_TRY(std::vector<Datum> items, loop_items(statement));
  if (items.empty()) {
    ScopeGuard scope(*this);
    return run(statement.otherwise, output);
  }
  const auto loop = std::make_shared<Loop>();
  loop->items = std::move(items);
  ScopeGuard scope(*this);
  for (loop->index = 0; loop->index < loop->items.size(); ++loop->index) {
    scope.clear();
    scopes_.back().emplace_back("loop", Datum::of(loop));
    SENTINEL_CHECK(assign(statement.targets[0], loop->items[loop->index]));
    SENTINEL_CHECK(run(statement.body, output));
    if (output.size() > options_.limits.output_bytes) break;
  }
  return {};
}

Result<void> Runtime::run_set(const Statement& statement) {
  SENTINEL_TRY(Datum value, evaluate(*statement.expression));
  return assign(statement.targets[0], std::move(value));
}

Result<void> Runtime::run_with(const Statement& statement, Output& output) {
  std::vector<Datum> values;
  for (const auto& expression : statement.values) {
    SENTINEL_TRY(Datum value, evaluate(*expression));
    values.push_back(std::move(value));
  }
  ScopeGuard scope(*this);
  for (std::size_t i = 0; i < values.size(); ++i) SENTINEL_CHECK(assign(statement.targets[i], std::move(values[i])));
  return run(statement.body, output);
}

Result<Datum> Runtime::captured(const Statement& statement) {
  Output inner;
  {
    ScopeGuard scope(*this);
    SENTINEL_CHECK(run(statement.body, inner));
  }
  const Content content = inner.take();
  if (content.has_holes()) {
    return error(statement.span, "template.secret-misuse", "a captured block can't hold a secret",
                 "print the secret outside of it");
  }
  Datum value = Datum::text(content.serialize());
  SENTINEL_CHECK(budget_.admit(value));
  if (statement.expression == nullptr) return value;
  auto filtered = filter(*statement.expression, &value);
  if (!filtered.ok()) return place(std::move(filtered).error(), statement.expression->name_span);
  return filtered;
}

Result<void> Runtime::assign(const Target& target, Datum value) {
  if (!target.attribute.empty()) return assign_attribute(target, std::move(value));
  if (target.parts.empty()) {
    auto& scope = scopes_.back();
    for (auto& [key, current] : scope) {
      if (key == target.name) {
        current = std::move(value);
        return {};
      }
    }
    scope.emplace_back(target.name, std::move(value));
    return {};
  }
  auto parts = iterate(value, budget_);
  if (!parts.ok()) return place(std::move(parts).error(), target.span);
  if (parts->size() != target.parts.size()) {
    return error(target.span, "template.unpack",
                 fmt::format("there are {} values for {} names", parts->size(), target.parts.size()));
  }
  for (std::size_t i = 0; i < parts->size(); ++i) SENTINEL_CHECK(assign(target.parts[i], std::move((*parts)[i])));
  return {};
}

Result<void> Runtime::assign_attribute(const Target& target, Datum value) {
  const auto* local = find_local(target.name);
  const auto* space = local != nullptr ? local->get<std::shared_ptr<Namespace>>() : nullptr;
  if (space == nullptr) {
    return error(target.span, "template.type",
                 fmt::format("'{}' is not a namespace, so its attributes can't be set", target.name),
                 fmt::format("write {{% set {} = namespace() %}} first", target.name));
  }
  if (auto fits = require_containable(value); !fits.ok()) return place(std::move(fits).error(), target.span);
  for (auto& [key, current] : (*space)->attributes) {
    if (key == target.attribute) {
      current = std::move(value);
      return {};
    }
  }
  (*space)->attributes.emplace_back(target.attribute, std::move(value));
  return {};
}

Result<const Template*> Runtime::load(const std::string& name) {
  if (const auto known = included_.find(name); known != included_.end()) return known->second.get();
  if (options_.includes == nullptr) return nullptr;
  SENTINEL_TRY(auto found, options_.includes->load(name));
  if (!found) return nullptr;
  TemplateOrigin origin;
  origin.file = found->path;
  auto source = std::make_shared<const SourceText>(normalized_newlines(std::move(found->text)), std::move(origin));
  SENTINEL_TRY(Template parsed, parse_template(std::move(source)));
  return included_.emplace(name, std::make_unique<Template>(std::move(parsed))).first->second.get();
}

Result<const Template*> Runtime::included(const Statement& statement, std::string& name) {
  SENTINEL_TRY(const Datum value, operand(*statement.expression));
  const Span span = statement.expression->span;
  std::vector<Datum> names{value};
  if (const auto* items = value.as_items()) names = items->items;
  for (const auto& each : names) {
    if (auto plain = require_plain(each); !plain.ok()) return place(std::move(plain).error(), span);
    if (each.as_text() == nullptr) return place(type_error("the name of a template is a text"), span);
    name = *each.as_text();
    if (std::find(include_stack_.begin(), include_stack_.end(), name) != include_stack_.end()) {
      return error(span, "template.include-cycle", fmt::format("'{}' includes itself", name));
    }
    SENTINEL_TRY(const Template* found, load(name));
    if (found != nullptr) return found;
  }
  if (statement.ignore_missing) return nullptr;
  const auto known = options_.includes != nullptr ? options_.includes->names() : std::vector<std::string>();
  return error(span, "template.unknown-template", fmt::format("there is no template '{}'", name),
               did_you_mean(name, known));
}

Result<void> Runtime::run_include(const Statement& statement, Output& output) {
  const Position here = source_->position(statement.span);
  const auto during = [&](Error failure) {
    return std::move(failure).during(fmt::format("included from {}:{}", here.file, here.line));
  };
  std::string name;
  const SourceText* const outer = source_;
  auto found = included(statement, name);
  if (!found.ok()) {
    Error failure = std::move(found).error();
    const bool elsewhere = failure.position && !(failure.position->file == here.file);
    return elsewhere ? during(std::move(failure)) : place(std::move(failure), statement.span);
  }
  if (*found == nullptr) return {};
  if (include_stack_.size() >= static_cast<std::size_t>(options_.limits.include_depth)) {
    return error(statement.span, "template.limit",
                 fmt::format("includes are nested more than {} levels deep", options_.limits.include_depth));
  }
  const auto visible_scope = first_visible_scope_;
  const bool visible_variables = variables_visible_;
  ScopeGuard scope(*this);
  if (!statement.with_context) {
    first_visible_scope_ = scopes_.size() - 1;
    variables_visible_ = false;
  }
  include_stack_.push_back(name);
  source_ = (*found)->source.get();
  auto done = run((*found)->body, output);
  source_ = outer;
  include_stack_.pop_back();
  first_visible_scope_ = visible_scope;
  variables_visible_ = visible_variables;
  if (!done.ok()) return during(std::move(done).error());
  return {};
}

}  // namespace sentinel::template_engine
