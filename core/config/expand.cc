// SPDX-License-Identifier: Apache-2.0
// Walks the stack for one host. An item that fails is reported and left out; the walk goes on, so one run shows
// everything.
#include "core/config/expand.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/fields.h"
#include "core/config/host_variables.h"
#include "core/config/reference.h"
#include "core/config/render_node.h"
#include "core/config/resource_builder.h"
#include "core/config/resource_collector.h"
#include "core/config/schema.h"

namespace sentinel {
namespace {

/// Anything as a word for an id: "/etc/ssh/x.conf" -> "etc-ssh-x.conf".
std::string slug(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@';
    if (plain) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return out.substr(0, 80);
}

class HostExpander {
 public:
  HostExpander(const Project& project, const Playbook& playbook, const Host& host, const Assets& assets,
               const ExpandOptions& options, Diagnostics& diagnostics)
      : project_(project),
        playbook_(playbook),
        host_(host),
        assets_(assets),
        files_(assets),
        options_(options),
        diagnostics_(diagnostics) {
    context_.files = &files_;
    context_.host = host.name;
    for (const auto& secret : project.secrets) context_.secrets.push_back(secret.name);
  }

  Expansion run(Value scope) {
    for (const auto& use : playbook_.roles) {
      const auto* role = find_role(use.role);
      if (role == nullptr) continue;
      if (use.when && !holds(*use.when, scope, *role)) continue;
      expand_role(*role, scope, use.tags);
    }
    return std::move(collector_).finish(project_, host_, std::move(scope));
  }

 private:
  const Role* find_role(const std::string& name) const {
    const auto found = playbook_.all_roles.find(name);
    return found == playbook_.all_roles.end() ? nullptr : &found->second;
  }

  std::string doing(const Role& role) const {
    return fmt::format("expanding role {} for host {}", role.name, host_.name);
  }

  void add(Error error, const Node& where, const Role& role) {
    if (!error.position) error.position = where.position();
    diagnostics_.add(std::move(error).during(doing(role)));
  }

  /// Truth of a `when:`; false when it can't be told (the error is reported).
  bool holds(const Node& expression, const Value& scope, const Role& role) {
    auto value = evaluate(expression.text, scope, context_.options(expression));
    if (value.ok()) return is_true(*value);
    add(std::move(value).error(), expression, role);
    return false;
  }

  bool selected(const std::vector<std::string>& tags) const {
    return options_.tags.empty() || std::any_of(tags.begin(), tags.end(), [&](const std::string& tag) {
             return std::find(options_.tags.begin(), options_.tags.end(), tag) != options_.tags.end();
           });
  }

  void expand_role(const Role& role, Value& scope, const std::vector<std::string>& tags) {
    for (const auto& item : role.items) {
      std::vector<std::string> all_tags = tags;
      all_tags.insert(all_tags.end(), item.tags.begin(), item.tags.end());
      if (item.loop) {
        expand_loop(role, item, scope, all_tags);
      } else {
        expand_item(role, item, scope, all_tags, {});
      }
    }
  }

  void expand_loop(const Role& role, const RoleItem& item, Value& scope, const std::vector<std::string>& tags) {
    Result<Value> items = Value();
    if (item.loop->is_scalar()) {
      items = evaluate(item.loop->text, scope, context_.options(*item.loop));
    } else {
      const auto rendered = render_node(*item.loop, scope, context_, doing(role), diagnostics_);
      if (!rendered) return;
      items = to_value(*rendered);
    }
    if (!items.ok()) return add(std::move(items).error(), *item.loop, role);
    if (!items->is_array()) {
      return add(
          Error("playbook.loop", fmt::format("a loop needs a list, this is {}", describe(node_of(*items, *item.loop))),
                items->is_object() ? "write NAME.items() | list to loop over the pairs of a mapping" : ""),
          *item.loop, role);
    }
    // Loops don't nest in one role, but an included role may sit in a loop of its includer.
    const Value outer_item = scope.value("item", Value());
    const Value outer_index = scope.value("loop_index", Value());
    for (std::size_t i = 0; i < items->size(); ++i) {
      scope["item"] = (*items)[i];
      scope["loop_index"] = i;
      expand_item(role, item, scope, tags, i);
    }
    restore(scope, "item", outer_item);
    restore(scope, "loop_index", outer_index);
  }

  static void restore(Value& scope, const char* name, const Value& before) {
    if (before.is_null()) {
      scope.erase(name);
    } else {
      scope[name] = before;
    }
  }

  void expand_item(const Role& role, const RoleItem& item, Value& scope, const std::vector<std::string>& tags,
                   std::optional<std::size_t> loop_index) {
    if (item.kind == RoleItem::Kind::kResource && !selected(tags)) return;
    if (item.when && !holds(*item.when, scope, role)) return;
    switch (item.kind) {
      case RoleItem::Kind::kInclude: return expand_include(role, item, scope, tags);
      case RoleItem::Kind::kAssert: return check_assert(role, item, scope);
      case RoleItem::Kind::kResource: return expand_resource(role, item, scope, loop_index);
    }
  }

  void expand_include(const Role& role, const RoleItem& item, const Value& scope,
                      const std::vector<std::string>& tags) {
    const auto* included = find_role(item.included_role);
    const auto arguments = render_node(item.body, scope, context_, doing(role), diagnostics_);
    if (included == nullptr || !arguments) return;
    Value inner = scope;
    for (const auto& entry : arguments->entries) {
      Value& place = inner[entry.key.text];
      const Value value = to_value(entry.value);
      if (place.is_object() && value.is_object()) {
        place.update(value, true);
      } else {
        place = value;
      }
    }
    expand_role(*included, inner, tags);
  }

  std::string render_label(const Node* node, const Value& scope, const Role& role) {
    if (node == nullptr) return {};
    if (!has_template_syntax(node->text)) return node->text;
    auto text = render_text(node->text, scope, context_.options(*node));
    if (text.ok()) return std::move(text).value();
    add(std::move(text).error(), *node, role);
    return {};
  }

  void check_assert(const Role& role, const RoleItem& item, const Value& scope) {
    auto value = evaluate(item.body.text, scope, context_.options(item.body));
    if (!value.ok()) return add(std::move(value).error(), item.body, role);
    if (is_true(*value)) return;
    const std::string message = render_label(item.node.find("message"), scope, role);
    add(Error("playbook.assert", message.empty() ? fmt::format("this must be true: {}", item.body.text) : message,
              render_label(item.node.find("hint"), scope, role)),
        item.body, role);
  }

  void expand_resource(const Role& role, const RoleItem& item, const Value& scope,
                       std::optional<std::size_t> loop_index) {
    const auto reported_before = diagnostics_.reported;
    const Reference& reference = *find_reference(item.resource_kind);
    Node raw = item.body;
    std::erase_if(raw.entries, [](const Node::Entry& entry) { return entry.key.text == "content"; });
    auto body = render_node(raw, scope, context_, doing(role), diagnostics_);
    if (!body) {
      // Mistakes in the content are shown in the same run.
      if (item.body.find("content") != nullptr) content_of(role, item, item.body, scope);
      return;
    }
    if (const auto* content = item.body.find_entry("content")) body->entries.push_back(*content);
    check_shape(*body, reference.schema, item.resource_kind, Templates::kNo, diagnostics_);
    if (diagnostics_.reported > reported_before) return;
    *body = with_defaults(*body, reference.schema);

    Resource resource;
    resource.id = id_of(role, item, *body, scope, loop_index);
    resource.title = title_of(role, item, *body, scope);
    resource.origin = fmt::format("{}:{}", item.node.position().file, item.node.line);
    const auto content = content_of(role, item, *body, scope);
    if (!content) return;
    const ContentRef reference_to_content =
        content->pieces().empty() && !has_content(*body) ? ContentRef{} : reference_to(*content);
    auto built = build_resource(item.resource_kind, *body, reference_to_content, diagnostics_);
    if (!built || !add_effects(role, item, scope, resource)) return;
    resource.body = std::move(*built);
    auto added = collector_.add(std::move(resource), *content, managed_by(item.resource_kind, *body));
    if (!added.ok()) add(std::move(added).error(), item.node, role);
  }

  static std::string managed_by(const std::string& kind, const Node& body) {
    if (kind == "package" || kind == "command") return {};
    const std::string path = file_path(kind, body);
    return path.empty() ? fmt::format("{} {}", kind, primary_text(kind, body)) : path;
  }

  static bool has_content(const Node& body) {
    return body.find("content") != nullptr || body.find("template") != nullptr || body.find("source") != nullptr;
  }

  std::string id_of(const Role& role, const RoleItem& item, const Node& body, const Value& scope,
                    std::optional<std::size_t> loop_index) {
    std::string id = render_label(item.node.find("id"), scope, role);
    if (id.empty()) {
      const std::string primary = slug(primary_text(item.resource_kind, body));
      id = primary.empty() ? item.resource_kind : fmt::format("{}-{}", item.resource_kind, primary);
    } else if (loop_index && !has_template_syntax(item.id)) {
      id += fmt::format("-{}", *loop_index);
    }
    if (id.find_first_of("/ \t\n") != std::string::npos) {
      add(Error("playbook.id", fmt::format("the id '{}' holds a space or a slash", id)), *item.node.find("id"), role);
    }
    return fmt::format("{}/{}", role.name, id);
  }

  std::string title_of(const Role& role, const RoleItem& item, const Node& body, const Value& scope) {
    const std::string title = render_label(item.node.find("title"), scope, role);
    if (!title.empty()) return title;
    const std::string path = file_path(item.resource_kind, body);
    const std::string primary = path.empty() ? primary_text(item.resource_kind, body) : path;
    return primary.empty() ? item.resource_kind : fmt::format("{} {}", item.resource_kind, primary);
  }

  std::optional<Content> content_of(const Role& role, const RoleItem& item, const Node& body, const Value& scope) {
    Result<Content> content = Content();
    const Node* where = &body;
    std::string rendering = file_path(item.resource_kind, body);
    if (const Node* text = body.find("content")) {
      where = text;
      content = render_content(text->text, scope, context_.options(*text));
    } else if (const Node* name = body.find("template")) {
      where = name;
      rendering = name->text;
      content = render_template(name->text, scope);
    } else if (const Node* source = body.find("source")) {
      where = source;
      content = copy_source(source->text);
    }
    if (content.ok()) return std::move(content).value();
    Error error = std::move(content).error();
    if (!error.position) error.position = where->position();
    if (rendering.empty()) rendering = fmt::format("{} of role {}", item.resource_kind, role.name);
    diagnostics_.add(std::move(error).during(fmt::format("rendering {} for host {}", rendering, host_.name)));
    return {};
  }

  Result<Content> render_template(const std::string& name, const Value& scope) const {
    SENTINEL_TRY(const auto source, files_.require(name));
    RenderOptions options;
    options.origin.file = source.path;
    options.includes = &files_;
    options.secrets = context_.secrets;
    return render_content(source.text, scope, options);
  }

  Result<Content> copy_source(const std::string& name) const {
    SENTINEL_TRY(auto asset, assets_.find(name, kSourceBytes));
    if (!asset) return Error("asset.missing", fmt::format("there is no file '{}' in the project", name));
    return Content(std::move(asset->bytes));
  }

  bool add_effects(const Role& role, const RoleItem& item, const Value& scope, Resource& resource) {
    for (const auto& node : item.notify) {
      const auto rendered = render_node(node, scope, context_, doing(role), diagnostics_);
      if (!rendered) return false;
      auto effect = parse_effect(rendered->text);
      if (!effect.ok()) {
        add(std::move(effect).error(), node, role);
        return false;
      }
      if (std::find(resource.notify.begin(), resource.notify.end(), *effect) == resource.notify.end()) {
        resource.notify.push_back(*effect);
      }
    }
    return true;
  }

  const Project& project_;
  const Playbook& playbook_;
  const Host& host_;
  const Assets& assets_;
  TemplateFiles files_;
  const ExpandOptions& options_;
  Diagnostics& diagnostics_;
  RenderContext context_;
  ResourceCollector collector_;
};

}  // namespace

std::optional<Expansion> expand(const Project& project, const Playbook& playbook, const Host& host, const Facts& facts,
                                const Assets& assets, const ExpandOptions& options, Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  const auto errors_before = diagnostics.errors.size();
  auto scope = host_scope(project, playbook, host, facts, diagnostics);
  if (!scope) {
    for (auto i = errors_before; i < diagnostics.errors.size(); ++i) {
      diagnostics.errors[i].context.push_back(fmt::format("for host {}", host.name));
    }
    return {};
  }
  HostExpander expander(project, playbook, host, assets, options, diagnostics);
  auto out = expander.run(std::move(*scope));
  if (diagnostics.reported > reported_before) return {};
  return out;
}

std::optional<Expansion> expand_offline(const Project& project, const Playbook& playbook, const Host& host,
                                        const Assets& assets, Diagnostics& diagnostics) {
  const auto facts = assumed_facts(project, host, diagnostics);
  if (!facts) return {};
  return expand(project, playbook, host, *facts, assets, {}, diagnostics);
}

void check_fleet(const Project& project, const std::vector<Expansion>& expansions, Diagnostics& diagnostics) {
  for (const auto& secret : project.secrets) {
    if (secret.kind != SecretSource::Kind::kGenerate) continue;
    std::vector<std::string> hosts;
    for (const auto& expansion : expansions) {
      const auto& used = expansion.request.secrets;
      if (std::any_of(used.begin(), used.end(), [&](const SecretSpec& spec) { return spec.name == secret.name; })) {
        hosts.push_back(expansion.request.host);
      }
    }
    if (hosts.size() < 2) continue;
    diagnostics.warn(
        Error("secret.differs-per-host",
              fmt::format("each host makes a value of its own for '{}': {}", secret.name, fmt::join(hosts, ", ")),
              "a value they share comes from env, file or command")
            .at(secret.position));
  }
}

}  // namespace sentinel
