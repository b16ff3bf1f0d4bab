// SPDX-License-Identifier: Apache-2.0
// Order is found leaf by leaf: `ssh.allow` may refer to `ssh.port`, so whole top-level variables are too coarse. A
// template that uses a variable in a way we can't follow (`ssh[name]`) is taken to refer to all of it.
#include "core/config/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/config/fields.h"

namespace sentinel {
namespace {

using Path = std::vector<std::string>;

struct Leaf {
  Path path;  ///< keys and list indexes
  const Node* node = nullptr;
  std::vector<std::size_t> needs;
  enum class State { kNew, kActive, kDone, kFailed } state = State::kNew;
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The dotted paths by which `text` mentions the variable `name`.
std::vector<Path> mentions(const std::string& text, const std::string& name) {
  std::vector<Path> out;
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
    std::size_t end = at + name.size();
    if (at > 0 && (is_word(text[at - 1]) || text[at - 1] == '.')) continue;
    if (end < text.size() && is_word(text[end])) continue;
    Path path{name};
    while (end + 1 < text.size() && text[end] == '.' && is_word(text[end + 1])) {
      std::size_t stop = end + 1;
      while (stop < text.size() && is_word(text[stop])) ++stop;
      if (stop < text.size() && text[stop] == '(') break;  // a method
      path.push_back(text.substr(end + 1, stop - end - 1));
      end = stop;
    }
    out.push_back(std::move(path));
  }
  return out;
}

bool is_prefix(const Path& shorter, const Path& longer) {
  return shorter.size() <= longer.size() && std::equal(shorter.begin(), shorter.end(), longer.begin());
}

std::string dotted(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

class Resolver {
 public:
  Resolver(const Node& vars, const Value& scope, const std::vector<std::string>& secrets, Diagnostics& diagnostics)
      : values_(scope), secrets_(secrets), diagnostics_(diagnostics) {
    for (const auto& entry : vars.entries) {
      values_[entry.key.text] = to_value(entry.value);
      collect(entry.value, {entry.key.text});
    }
  }

  std::optional<Value> run() {
    for (auto& leaf : leaves_) find_needs(leaf);
    bool resolved = true;
    for (std::size_t i = 0; i < leaves_.size(); ++i) resolved = visit(i) && resolved;
    if (!resolved) return {};
    return std::move(values_);
  }

 private:
  void collect(const Node& node, Path path) {
    if (node.is_scalar() && has_template_syntax(node.text)) leaves_.push_back({path, &node, {}, Leaf::State::kNew});
    for (const auto& entry : node.entries) {
      Path inner = path;
      inner.push_back(entry.key.text);
      collect(entry.value, std::move(inner));
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      Path inner = path;
      inner.push_back(std::to_string(i));
      collect(node.items[i], std::move(inner));
    }
  }

  RenderOptions options(const Leaf& leaf) const {
    RenderOptions out;
    out.origin = leaf.node->origin();
    out.secrets = secrets_;
    return out;
  }

  void fail(Error error, Leaf& leaf) {
    diagnostics_.add(std::move(error).during(fmt::format("resolving the variable {}", dotted(leaf.path))));
    leaf.state = Leaf::State::kFailed;
  }

  void find_needs(Leaf& leaf) {
    auto names = referenced_variables(leaf.node->text, options(leaf));
    if (!names.ok()) return fail(std::move(names).error(), leaf);
    for (const auto& name : *names) {
      for (const auto& path : mentions(leaf.node->text, name)) {
        for (std::size_t i = 0; i < leaves_.size(); ++i) {
          const Path& other = leaves_[i].path;
          if (is_prefix(path, other) || is_prefix(other, path)) leaf.needs.push_back(i);
        }
      }
    }
  }

  /// False when the leaf, or one it needs, can't be resolved: one mistake is reported once.
  bool visit(std::size_t index) {
    Leaf& leaf = leaves_[index];
    if (leaf.state == Leaf::State::kDone) return true;
    if (leaf.state == Leaf::State::kFailed) return false;
    if (leaf.state == Leaf::State::kActive) {
      report_cycle(index);
      return false;
    }
    leaf.state = Leaf::State::kActive;
    chain_.push_back(index);
    bool resolved = true;
    for (const auto need : leaf.needs) resolved = visit(need) && resolved;
    chain_.pop_back();
    leaf.state = resolved ? Leaf::State::kDone : Leaf::State::kFailed;
    if (resolved) render(leaf);
    return leaf.state == Leaf::State::kDone;
  }

  void report_cycle(std::size_t index) {
    std::vector<std::string> names;
    for (auto it = std::find(chain_.begin(), chain_.end(), index); it != chain_.end(); ++it)
      names.push_back(dotted(leaves_[*it].path));
    names.push_back(names.front());
    const Leaf& leaf = leaves_[index];
    diagnostics_.add(
        Error("variables.cycle", fmt::format("variables refer to each other in a circle: {}", fmt::join(names, " -> ")))
            .at(leaf.node->position()));
  }

  void render(Leaf& leaf) {
    auto value = render_value(leaf.node->text, values_, options(leaf));
    if (!value.ok()) return fail(std::move(value).error(), leaf);
    Value* place = &values_;
    for (const auto& key : leaf.path) place = place->is_array() ? &(*place)[std::stoul(key)] : &(*place)[key];
    *place = std::move(value).value();
  }

  Value values_;
  const std::vector<std::string>& secrets_;
  Diagnostics& diagnostics_;
  std::vector<Leaf> leaves_;
  std::vector<std::size_t> chain_;
};

}  // namespace

const std::vector<std::string>& reserved_variables() {
  static const std::vector<std::string> names{"facts", "host", "project", "secrets", "item", "loop_index", "loop"};
  return names;
}

Node merge_nodes(const Node& base, const Node& over) {
  if (!base.is_mapping() || !over.is_mapping()) return over;
  Node out = base;
  for (const auto& entry : over.entries) {
    const auto found = std::find_if(out.entries.begin(), out.entries.end(),
                                    [&](const Node::Entry& known) { return known.key.text == entry.key.text; });
    if (found == out.entries.end()) {
      out.entries.push_back(entry);
    } else {
      *found = {entry.key, merge_nodes(found->value, entry.value)};
    }
  }
  return out;
}

Result<Node> parse_setting(const std::string& setting) {
  const auto equals = setting.find('=');
  const std::string name = setting.substr(0, equals);
  const auto malformed = [&] {
    return Error("set.malformed", fmt::format("'{}' is not KEY=VALUE", setting), "for example --set ssh.port=2222",
                 ExitCode::kUsage);
  };
  if (equals == std::string::npos) return malformed();
  Path path{""};
  for (const char c : name) {
    if (c == '.') {
      path.emplace_back();
    } else if (is_word(c) || c == '-') {
      path.back() += c;
    } else {
      return malformed();
    }
  }
  if (std::any_of(path.begin(), path.end(), [](const std::string& part) { return part.empty(); })) return malformed();
  const std::string shown = "--set " + name;
  SENTINEL_TRY(Node value, parse_yaml(setting.substr(equals + 1), shown));
  if (equals + 1 == setting.size()) value = text_node("");
  const Node key_place = value;
  for (auto part = path.rbegin(); part != path.rend(); ++part) {
    Node mapping = mapping_node();
    Node key = text_node(*part);
    key.source = key_place.source;
    key.line = 1;
    key.column = 1;
    mapping.entries.push_back({std::move(key), std::move(value)});
    value = std::move(mapping);
  }
  return value;
}

std::optional<Value> resolve_variables(const Node& vars, const Value& scope, const std::vector<std::string>& secrets,
                                       Diagnostics& diagnostics) {
  return Resolver(vars, scope, secrets, diagnostics).run();
}

}  // namespace sentinel
