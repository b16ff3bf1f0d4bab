// SPDX-License-Identifier: Apache-2.0
// Runs a parsed template: scopes, variables, calls, statements. One object per rendering; not shared between threads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/model/content.h"
#include "core/template/access.h"
#include "core/template/budget.h"
#include "core/template/callables.h"
#include "core/template/datum.h"
#include "core/template/options.h"
#include "core/template/syntax.h"
#include "core/template/value_declaration.h"

namespace sentinel::template_engine {

/// What a template writes to: text is gathered, holes stay apart.
class Output {
 public:
  void text(std::string_view text) { pending_ += text; }

  void hole(const Hole& hole) {
    flush();
    content_.append(hole);
  }

  std::size_t size() const { return flushed_ + pending_.size(); }

  Content take() {
    flush();
    return std::move(content_);
  }

 private:
  void flush() {
    flushed_ += pending_.size();
    content_.append(std::exchange(pending_, {}));
  }

  Content content_;
  std::string pending_;
  std::size_t flushed_ = 0;
};

class Runtime final : public NameSource {
 public:
  Runtime(const Value& variables, const RenderOptions& options);

  Result<void> render(const Template& parsed, Output& output);
  Result<Datum> evaluate_in(const SourceText& source, const Expression& expression);

  Budget& budget() { return budget_; }

  AccessSite site(const SourceText& source, Span span) const { return {&source, span, &options_.secrets}; }

  /// For filters and tests that other filters call by name.
  Result<Datum> apply_filter(const FilterSpec& filter, const Datum& input, const CallArguments& arguments,
                             const SourceText& source, Span span);
  Result<bool> apply_test(const TestSpec& test, const Datum& input, const CallArguments& arguments,
                          const SourceText& source, Span span);
  std::vector<std::string> known_names() const override;

 private:
  using Scope = std::vector<std::pair<std::string, Datum>>;
  class ScopeGuard;

  // expressions.cc
  Result<Datum> evaluate(const Expression& node);
  Result<Datum> evaluate_kind(const Expression& node);
  /// The value, for an operation that needs one: undefined and secrets are errors at the operand.
  Result<Datum> operand(const Expression& node);
  Result<bool> condition(const Expression& node);
  Result<Datum> name(const Expression& node);
  Result<Datum> sequence(const Expression& node);
  Result<Datum> dictionary(const Expression& node);
  Result<Datum> concatenation(const Expression& node);
  Result<Datum> comparison(const Expression& node);
  Result<Datum> conditional(const Expression& node);
  Result<Datum> slice(const Expression& node);
  Result<Datum> call(const Expression& node);
  Result<Datum> filter(const Expression& node, const Datum* input);
  Result<Datum> test(const Expression& node);
  Result<CallArguments> arguments(const ArgumentNodes& nodes);

  // statements.cc
  Result<void> run(const Block& block, Output& output);
  Result<void> run_statement(const Statement& statement, Output& output);
  Result<void> run_print(const Statement& statement, Output& output);
  Result<void> run_if(const Statement& statement, Output& output);
  Result<void> run_for(const Statement& statement, Output& output);
  Result<std::vector<Datum>> loop_items(const Statement& statement);
  Result<void> run_set(const Statement& statement);
  Result<void> run_with(const Statement& statement, Output& output);
  /// The text a block writes, through the statement's filters.
  Result<Datum> captured(const Statement& statement);
  Result<void> run_include(const Statement& statement, Output& output);
  /// Null when it is missing and that is allowed.
  Result<const Template*> included(const Statement& statement, std::string& name);
  Result<const Template*> load(const std::string& name);
  Result<void> assign(const Target& target, Datum value);
  Result<void> assign_attribute(const Target& target, Datum value);

  const Datum* find_local(std::string_view name) const;
  Result<const Datum*> find_variable(const std::string& name);

  Error error(Span span, std::string code, std::string message, std::string hint = {}) const {
    return error_at(*source_, span, std::move(code), std::move(message), std::move(hint));
  }

  Error place(Error failure, Span span) const { return located(std::move(failure), *source_, span); }

  const Value& variables_;
  const RenderOptions& options_;
  Budget budget_;
  std::unordered_map<std::string, Datum> converted_;  ///< variables already read
  std::vector<Scope> scopes_;
  std::size_t first_visible_scope_ = 0;  ///< `include ... without context` hides the ones below
  bool variables_visible_ = true;
  const SourceText* source_ = nullptr;  ///< of the template that runs now
  std::map<std::string, std::unique_ptr<Template>> included_;
  std::vector<std::string> include_stack_;
};

/// Fails for what can't be put into a list, dictionary or namespace: secrets, methods, namespaces, the loop.
Result<void> require_containable(const Datum& value);

}  // namespace sentinel::template_engine
