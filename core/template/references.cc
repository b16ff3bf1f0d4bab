// SPDX-License-Identifier: Apache-2.0
// A walk with the scopes of statements.cc. A name set in one branch of an `if` counts as read when it is read behind
// it.
#include "core/template/references.h"

#include <algorithm>
#include <set>

namespace sentinel::template_engine {
namespace {

class Walker {
 public:
  void walk(const Block& block) {
    for (const auto& statement : block) walk(statement);
  }

  std::vector<std::string> take() const { return {found_.begin(), found_.end()}; }

 private:
  using Names = std::set<std::string>;

  void read(const Expression& node) {
    if (node.kind == Expression::Kind::kName) {
      const bool known = bound_.contains(node.name) || node.name == "secrets" || find_function(node.name) != nullptr;
      if (!known) found_.insert(node.name);
    }
    for (const auto& child : node.operands) {
      if (child != nullptr) read(*child);
    }
    for (const auto& child : node.arguments.positional) read(*child);
    for (const auto& [name, child] : node.arguments.named) read(*child);
  }

  void bind(const Target& target) {
    if (!target.attribute.empty()) {
      if (!bound_.contains(target.name)) found_.insert(target.name);
    } else if (!target.name.empty()) {
      bound_.insert(target.name);
    }
    for (const auto& part : target.parts) bind(part);
  }

  void scoped(const Block& block, const Names& outer) {
    walk(block);
    bound_ = outer;
  }

  void walk(const Statement& statement) {
    using Kind = Statement::Kind;
    if (statement.expression != nullptr) read(*statement.expression);
    for (const auto& value : statement.values) read(*value);
    const Names outer = bound_;
    switch (statement.kind) {
      case Kind::kSet: bind(statement.targets[0]); break;
      case Kind::kSetBlock:
        scoped(statement.body, outer);
        bind(statement.targets[0]);
        break;
      case Kind::kWith:
        for (const auto& target : statement.targets) bind(target);
        scoped(statement.body, outer);
        break;
      case Kind::kFilterBlock: scoped(statement.body, outer); break;
      case Kind::kFor:
        bind(statement.targets[0]);
        if (statement.condition != nullptr) read(*statement.condition);
        bound_.insert("loop");
        scoped(statement.body, outer);
        scoped(statement.otherwise, outer);
        break;
      case Kind::kIf: walk_if(statement, outer); break;
      default: break;
    }
  }

  /// Bound behind an `if` is only what every way through it binds.
  void walk_if(const Statement& statement, const Names& outer) {
    std::vector<Names> ways;
    for (const auto& branch : statement.branches) {
      read(*branch.condition);
      walk(branch.body);
      ways.push_back(std::exchange(bound_, outer));
    }
    walk(statement.otherwise);
    for (const auto& way : ways) std::erase_if(bound_, [&](const std::string& name) { return !way.contains(name); });
  }

  Names found_;
  Names bound_;
};

}  // namespace

std::vector<std::string> free_names(const Template& parsed) {
  Walker walker;
  walker.walk(parsed.body);
  return walker.take();
}

}  // namespace sentinel::template_engine
