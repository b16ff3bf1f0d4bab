// SPDX-License-Identifier: Apache-2.0
// Evaluation of expressions. Operators and callables report errors without a position; here they get one.
#include <fmt/format.h>

#include "core/base/quote.h"
#include "core/base/suggest.h"
#include "core/template/convert.h"
#include "core/template/operators.h"
#include "core/template/python_text.h"
#include "core/template/runtime.h"

namespace sentinel::template_engine {
namespace {

using Kind = Expression::Kind;

/// What a node costs besides the values it makes.
constexpr std::size_t kNodeWork = 64;

/// The part of a node an error without a position is shown at.
Span error_span(const Expression& node) {
  return node.kind == Kind::kFilter || node.kind == Kind::kTest ? node.name_span : node.span;
}

}  // namespace

Result<void> require_containable(const Datum& value) {
  if (value.is_undefined()) return {};
  SENTINEL_CHECK(require_plain(value));
  if (value.get<std::shared_ptr<Namespace>>() != nullptr || value.get<std::shared_ptr<Loop>>() != nullptr) {
    return type_error(fmt::format("a {} can't be put into another value", type_name(value)));
  }
  return {};
}

Result<Datum> Runtime::evaluate_in(const SourceText& source, const Expression& expression) {
  source_ = &source;
  return evaluate(expression);
}

Result<Datum> Runtime::evaluate(const Expression& node) {
  if (auto paid = budget_.work(kNodeWork); !paid.ok()) return place(std::move(paid).error(), node.span);
  auto value = evaluate_kind(node);
  if (!value.ok()) return place(std::move(value).error(), error_span(node));
  return value;
}

Result<Datum> Runtime::evaluate_kind(const Expression& node) {
  switch (node.kind) {
    case Kind::kConstant: return node.constant;
    case Kind::kName: return name(node);
    case Kind::kList:
    case Kind::kTuple: return sequence(node);
    case Kind::kDict: return dictionary(node);
    case Kind::kConcat: return concatenation(node);
    case Kind::kCompare: return comparison(node);
    case Kind::kConditional: return conditional(node);
    case Kind::kSlice: return slice(node);
    case Kind::kCall: return call(node);
    case Kind::kFilter: return filter(node, nullptr);
    case Kind::kTest: return test(node);
    case Kind::kUnary: {
      SENTINEL_TRY(const Datum value, operand(*node.operands[0]));
      return signed_value(node.name, value);
    }
    case Kind::kNot: {
      SENTINEL_TRY(const bool value, condition(*node.operands[0]));
      return Datum::boolean(!value);
    }
    case Kind::kBinary: {
      SENTINEL_TRY(const Datum left, operand(*node.operands[0]));
      SENTINEL_TRY(const Datum right, operand(*node.operands[1]));
      SENTINEL_TRY(Datum value, arithmetic(node.name, left, right, budget_));
      SENTINEL_CHECK(budget_.admit(value));
      return value;
    }
    case Kind::kAnd:
    case Kind::kOr: {
      SENTINEL_TRY(Datum left, evaluate(*node.operands[0]));
      const auto truthy = truth(left);
      if (!truthy.ok()) return place(truthy.error(), node.operands[0]->span);
      if (*truthy == (node.kind == Kind::kOr)) return left;
      return evaluate(*node.operands[1]);
    }
    case Kind::kAttribute: {
      SENTINEL_TRY(const Datum object, evaluate(*node.operands[0]));
      auto value = attribute_of(object, node.name, site(*source_, node.name_span));
      if (!value.ok()) return place(std::move(value).error(), node.operands[0]->span);
      return value;
    }
    case Kind::kItem: {
      SENTINEL_TRY(const Datum object, evaluate(*node.operands[0]));
      SENTINEL_TRY(const Datum key, operand(*node.operands[1]));
      if (const auto* text = object.as_text()) SENTINEL_CHECK(budget_.work(text->size()));
      auto value = item_of(object, key, site(*source_, node.name_span));
      if (!value.ok()) return place(std::move(value).error(), node.operands[0]->span);
      return value;
    }
  }
  return type_error("unknown expression");
}

Result<Datum> Runtime::operand(const Expression& node) {
  SENTINEL_TRY(Datum value, evaluate(node));
  if (auto plain = require_plain(value); !plain.ok()) return place(std::move(plain).error(), node.span);
  return value;
}

Result<bool> Runtime::condition(const Expression& node) {
  SENTINEL_TRY(const Datum value, evaluate(node));
  auto out = truth(value);
  if (!out.ok()) return place(std::move(out).error(), node.span);
  return out;
}

const Datum* Runtime::find_local(std::string_view name) const {
  for (std::size_t i = scopes_.size(); i > first_visible_scope_; --i) {
    for (const auto& [key, value] : scopes_[i - 1]) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

Result<const Datum*> Runtime::find_variable(const std::string& name) {
  if (!variables_visible_) return nullptr;
  if (const auto known = converted_.find(name); known != converted_.end()) return &known->second;
  SENTINEL_TRY(auto value, variable_named(variables_, name));
  if (!value) return nullptr;
  SENTINEL_CHECK(budget_.admit(*value));
  return &converted_.emplace(name, std::move(*value)).first->second;
}

Result<Datum> Runtime::name(const Expression& node) {
  if (node.name == "secrets") return Datum::of(Secrets{});
  if (const auto* local = find_local(node.name)) return *local;
  SENTINEL_TRY(const Datum* variable, find_variable(node.name));
  if (variable != nullptr) return *variable;
  if (const auto* function = find_function(node.name)) return Datum::of(function);
  Undefined missing;
  missing.code = "template.unknown-variable";
  missing.message = fmt::format("unknown variable '{}'", node.name);
  missing.subject = node.name;
  missing.source = source_;
  missing.span = node.span;
  missing.names = this;
  if (node.name == "loop") missing.hint = "'loop' exists only inside a for loop's body";
  return Datum::undefined(std::move(missing));
}

std::vector<std::string> Runtime::known_names() const {
  std::vector<std::string> out = function_names();
  out.emplace_back("secrets");
  for (std::size_t i = first_visible_scope_; i < scopes_.size(); ++i) {
    for (const auto& [key, value] : scopes_[i]) out.push_back(key);
  }
  if (variables_visible_) {
    for (auto& key : variable_names(variables_)) out.push_back(std::move(key));
  }
  return out;
}

Result<Datum> Runtime::sequence(const Expression& node) {
  std::vector<Datum> items;
  items.reserve(node.operands.size());
  for (const auto& child : node.operands) {
    SENTINEL_TRY(Datum item, evaluate(*child));
    if (auto fits = require_containable(item); !fits.ok()) return place(std::move(fits).error(), child->span);
    items.push_back(std::move(item));
  }
  Datum out = Datum::items(std::move(items), node.kind == Kind::kTuple ? Items::Flavor::kTuple : Items::Flavor::kList);
  SENTINEL_CHECK(budget_.admit(out));
  return out;
}

Result<Datum> Runtime::dictionary(const Expression& node) {
  Dict dict;
  for (std::size_t i = 0; i + 1 < node.operands.size(); i += 2) {
    SENTINEL_TRY(Datum key, operand(*node.operands[i]));
    if (!hash_key(key)) {
      return place(type_error(fmt::format("a {} can't be a key", type_name(key))), node.operands[i]->span);
    }
    SENTINEL_TRY(Datum value, evaluate(*node.operands[i + 1]));
    if (auto fits = require_containable(value); !fits.ok())
      return place(std::move(fits).error(), node.operands[i + 1]->span);
    dict.set(std::move(key), std::move(value));
  }
  Datum out = Datum::dict(std::move(dict));
  SENTINEL_CHECK(budget_.admit(out));
  return out;
}

Result<Datum> Runtime::concatenation(const Expression& node) {
  std::string out;
  for (const auto& child : node.operands) {
    SENTINEL_TRY(const Datum value, evaluate(*child));
    auto text = to_text(value, budget_);
    if (!text.ok()) return place(std::move(text).error(), child->span);
    out += *text;
    SENTINEL_CHECK(budget_.text(out.size()));
  }
  Datum value = Datum::text(std::move(out));
  SENTINEL_CHECK(budget_.admit(value));
  return value;
}

Result<Datum> Runtime::comparison(const Expression& node) {
  const auto side = [&](const Expression& each) -> Result<Datum> {
    SENTINEL_TRY(Datum value, evaluate(each));
    if (value.is_lax_undefined()) return value;
    if (auto plain = require_plain(value); !plain.ok()) return place(std::move(plain).error(), each.span);
    return value;
  };
  SENTINEL_TRY(Datum left, side(*node.operands[0]));
  for (std::size_t i = 0; i < node.operators.size(); ++i) {
    SENTINEL_TRY(Datum right, side(*node.operands[i + 1]));
    SENTINEL_TRY(const bool holds, compare(node.operators[i], left, right, budget_));
    if (!holds) return Datum::boolean(false);
    left = std::move(right);
  }
  return Datum::boolean(true);
}

Result<Datum> Runtime::conditional(const Expression& node) {
  SENTINEL_TRY(const bool chosen, condition(*node.operands[1]));
  if (chosen) return evaluate(*node.operands[0]);
  if (node.operands[2] != nullptr) return evaluate(*node.operands[2]);
  Undefined missing;
  missing.code = "template.undefined";
  missing.message = "the condition is false and there is no else";
  missing.source = source_;
  missing.span = node.span;
  missing.hint = "add: else ''";
  missing.lax = true;
  return Datum::undefined(std::move(missing));
}

Result<Datum> Runtime::slice(const Expression& node) {
  SENTINEL_TRY(const Datum object, operand(*node.operands[0]));
  Datum bounds[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (node.operands[i + 1] == nullptr) continue;
    SENTINEL_TRY(bounds[i], operand(*node.operands[i + 1]));
  }
  return slice_of(object, bounds[0], bounds[1], bounds[2], budget_);
}

Result<CallArguments> Runtime::arguments(const ArgumentNodes& nodes) {
  CallArguments out;
  for (const auto& node : nodes.positional) {
    SENTINEL_TRY(Datum value, evaluate(*node));
    out.positional.push_back(std::move(value));
  }
  for (const auto& [name, node] : nodes.named) {
    SENTINEL_TRY(Datum value, evaluate(*node));
    out.named.emplace_back(name, std::move(value));
  }
  return out;
}

Result<Datum> Runtime::call(const Expression& node) {
  SENTINEL_TRY(const Datum callee, evaluate(*node.operands[0]));
  SENTINEL_TRY(const CallArguments given, arguments(node.arguments));
  const auto* method = callee.get<Method>();
  const auto* function = callee.get<const FunctionSpec*>();
  if (method == nullptr && function == nullptr) {
    if (auto plain = require_plain(callee); !plain.ok()) return place(std::move(plain).error(), node.operands[0]->span);
    return place(type_error(fmt::format("a {} can't be called", type_name(callee))), node.operands[0]->span);
  }
  for (const auto& value : given.positional) SENTINEL_CHECK(require_plain(value));
  for (const auto& [key, value] : given.named) SENTINEL_CHECK(require_plain(value));
  if (method != nullptr && method->spec->function == nullptr) {
    return error(node.operands[0]->name_span, "template.unsupported",
                 fmt::format("the method '{}' is not supported", method->spec->name), std::string(method->spec->hint));
  }
  const std::string_view called = method != nullptr ? method->spec->name : (*function)->name;
  const std::string_view parameters = method != nullptr ? method->spec->parameters : (*function)->parameters;
  SENTINEL_TRY(auto bound, bind_arguments(fmt::format("'{}'", called), parameters, given));
  const Datum self = method != nullptr ? *method->self : Datum();
  SENTINEL_CHECK(budget_.walk(self));
  const Call site{*this, *source_, node.span, self, std::move(bound), given};
  SENTINEL_TRY(Datum value, method != nullptr ? method->spec->function(site) : (*function)->function(site));
  SENTINEL_CHECK(budget_.admit(value));
  return value;
}

Result<Datum> Runtime::filter(const Expression& node, const Datum* block) {
  Datum input;
  if (node.operands[0] == nullptr) {
    input = *block;
  } else if (node.operands[0]->kind == Kind::kFilter && block != nullptr) {
    SENTINEL_TRY(input, filter(*node.operands[0], block));
  } else {
    SENTINEL_TRY(input, evaluate(*node.operands[0]));
  }
  SENTINEL_TRY(const CallArguments given, arguments(node.arguments));
  if (!node.filter->undefined_input && !input.is_lax_undefined()) {
    if (auto plain = require_plain(input); !plain.ok() && !(input.is_hole() && is_quoting_filter(node.name))) {
      return place(std::move(plain).error(), node.operands[0] != nullptr ? node.operands[0]->span : node.name_span);
    }
  }
  return apply_filter(*node.filter, input, given, *source_, node.name_span);
}

Result<Datum> Runtime::apply_filter(const FilterSpec& filter, const Datum& input, const CallArguments& given,
                                    const SourceText& source, Span span) {
  SENTINEL_TRY(auto bound, bind_arguments(fmt::format("filter '{}'", filter.name), filter.parameters, given));
  if (const auto* hole = input.get<std::shared_ptr<const Hole>>(); hole != nullptr && is_quoting_filter(filter.name)) {
    Hole out = **hole;
    out.filters.emplace_back(filter.name);
    return Datum::of(std::make_shared<const Hole>(std::move(out)));
  }
  if (!filter.undefined_input) {
    if (!input.is_lax_undefined()) SENTINEL_CHECK(require_plain(input));
    for (const auto& value : given.positional) SENTINEL_CHECK(require_plain(value));
    for (const auto& [key, value] : given.named) SENTINEL_CHECK(require_plain(value));
  }
  SENTINEL_CHECK(budget_.walk(input));
  SENTINEL_TRY(Datum value, filter.function(Call{*this, source, span, input, std::move(bound), given}));
  SENTINEL_CHECK(budget_.admit(value));
  return value;
}

Result<Datum> Runtime::test(const Expression& node) {
  SENTINEL_TRY(const Datum input, evaluate(*node.operands[0]));
  SENTINEL_TRY(const CallArguments given, arguments(node.arguments));
  auto value = apply_test(*node.test, input, given, *source_, node.name_span);
  if (!value.ok()) return place(std::move(value).error(), node.operands[0]->span);
  return Datum::boolean(*value);
}

Result<bool> Runtime::apply_test(const TestSpec& test, const Datum& input, const CallArguments& given,
                                 const SourceText& source, Span span) {
  SENTINEL_TRY(auto bound, bind_arguments(fmt::format("test '{}'", test.name), test.parameters, given));
  const bool existence = test.name == "defined" || test.name == "undefined";
  if (!existence && !(test.any_input && input.is_undefined())) SENTINEL_CHECK(require_plain(input));
  for (const auto* argument : bound) {
    if (argument != nullptr) SENTINEL_CHECK(require_plain(*argument));
  }
  SENTINEL_TRY(const Datum value, test.function(Call{*this, source, span, input, std::move(bound), given}));
  return *value.get<bool>();
}

}  // namespace sentinel::template_engine
