// SPDX-License-Identifier: Apache-2.0
// The tree of a parsed template. Expressions carry their depth, which the parser bounds, so walking them can recurse.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/template/callables.h"
#include "core/template/datum.h"
#include "core/template/source_text.h"

namespace sentinel::template_engine {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct ArgumentNodes {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Expression {
  enum class Kind {
    kConstant,     ///< constant
    kName,         ///< name
    kList,         ///< operands
    kTuple,        ///< operands
    kDict,         ///< operands: key, value, key, value ...
    kUnary,        ///< name: "-" or "+"; operands[0]
    kNot,          ///< operands[0]
    kBinary,       ///< name: + - * / // % **; operands[0], operands[1]
    kConcat,       ///< operands, joined as texts
    kCompare,      ///< operands[0] operators[0] operands[1] operators[1] ...
    kAnd,          ///< operands[0], operands[1]
    kOr,           ///< operands[0], operands[1]
    kConditional,  ///< operands[0] if operands[1] else operands[2] (null: nothing)
    kAttribute,    ///< operands[0].name
    kItem,         ///< operands[0][operands[1]]
    kSlice,        ///< operands[0][operands[1]:operands[2]:operands[3]], the last three may be null
    kCall,         ///< operands[0](arguments)
    kFilter,       ///< operands[0] | filter(arguments); operands[0] is null in a filter block
    kTest,         ///< operands[0] is test(arguments)
  };

  Kind kind = Kind::kConstant;
  Span span;       ///< the whole expression
  Span name_span;  ///< the attribute, filter, test or operator
  int depth = 1;
  Datum constant;
  std::string name;
  std::vector<ExpressionPtr> operands;
  std::vector<std::string> operators;
  ArgumentNodes arguments;
  const FilterSpec* filter = nullptr;
  const TestSpec* test = nullptr;
};

/// What `set`, `for` and `with` assign to.
struct Target {
  Span span;
  std::string name;       ///< empty: a tuple
  std::string attribute;  ///< of the namespace `name`; only in `set`
  std::vector<Target> parts;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind { kText, kPrint, kIf, kFor, kSet, kSetBlock, kWith, kFilterBlock, kInclude };

  struct Branch {
    ExpressionPtr condition;
    Block body;
  };

  Kind kind = Kind::kText;
  Span span;
  std::string text;  ///< kText
  ExpressionPtr
      expression;           ///< kPrint; kFor: what is iterated; kSet: value; kSetBlock, kFilterBlock: filters; kInclude
  ExpressionPtr condition;  ///< kFor: `if`
  std::vector<Target> targets;        ///< kFor, kSet, kSetBlock: one; kWith: several
  std::vector<ExpressionPtr> values;  ///< kWith
  std::vector<Branch> branches;       ///< kIf
  Block body;                         ///< of loops and blocks
  Block otherwise;                    ///< kIf, kFor: else
  bool ignore_missing = false;        ///< kInclude
  bool with_context = true;           ///< kInclude
};

/// A parsed template and the text its spans refer to.
struct Template {
  std::shared_ptr<const SourceText> source;
  Block body;
};

}  // namespace sentinel::template_engine
