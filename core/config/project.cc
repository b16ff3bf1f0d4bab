// SPDX-License-Identifier: Apache-2.0
// Shape first (the schema), then values, then what only the whole shows: jump hosts, addresses, migrations.
#include "core/config/project.h"

#include <errno.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/base/suggest.h"
#include "core/config/fields.h"
#include "core/config/health_settings.h"
#include "core/config/reference.h"
#include "core/config/variables.h"

namespace sentinel {
namespace {

HookCommands commands_field(const Node& node, std::string_view key) {
  HookCommands out;
  if (const Node* list = node.find(key)) {
    for (const auto& argv : list->items) out.push_back(texts_of(argv));
  }
  return out;
}

Host read_host(const Node::Entry& entry) {
  const Node& node = entry.value;
  Host out;
  out.name = entry.key.text;
  out.address = text_field(node, "address");
  if (node.find("port") != nullptr) out.port = static_cast<std::uint16_t>(int_field(node, "port", kSshPort));
  if (node.find("user") != nullptr) out.user = text_field(node, "user", kFirstUser);
  out.identity = text_field(node, "identity");
  out.host_key = text_field(node, "host_key");
  out.jump = text_field(node, "jump");
  out.tags = list_field(node, "tags");
  out.vars = mapping_field(node, "vars");
  out.position = entry.key.position();
  return out;
}

SecretSource read_secret(const Node::Entry& entry) {
  const Node& node = entry.value;
  SecretSource out;
  out.name = entry.key.text;
  out.position = entry.key.position();
  if (node.find("env") != nullptr) {
    out.kind = SecretSource::Kind::kEnvironment;
    out.variable = text_field(node, "env");
  } else if (node.find("file") != nullptr) {
    out.kind = SecretSource::Kind::kFile;
    out.path = text_field(node, "file");
  } else if (node.find("command") != nullptr) {
    out.kind = SecretSource::Kind::kCommand;
    out.argv = list_field(node, "command");
  } else {
    out.kind = SecretSource::Kind::kGenerate;
    out.encoding = text_field(node, "generate", "hex");
    out.bytes = static_cast<std::uint32_t>(int_field(node, "bytes", 32));
  }
  return out;
}

class ProjectReader {
 public:
  ProjectReader(const Node& root, Diagnostics& diagnostics) : root_(root), diagnostics_(diagnostics) {}

  Project read() {
    Project out;
    out.name = text_field(root_, "project");
    out.stack = text_field(root_, "stack", "sentinel-vps");
    if (const Node* stack = root_.find("stack")) out.stack_position = stack->position();
    for (const auto& entry : mapping_field(root_, "hosts").entries) out.hosts.push_back(read_host(entry));
    for (const auto& entry : mapping_field(root_, "secrets").entries) out.secrets.push_back(read_secret(entry));
    read_variables(out);
    out.health_settings =
        read_health(out.health, static_cast<std::uint16_t>(int_field(out.app, "port", 8080)), diagnostics_);
    out.watch = read_watch(out.health, out.name, out.health_settings, diagnostics_);
    const Node hooks = mapping_field(root_, "hooks");
    out.hooks = {commands_field(hooks, "pre_connect"), commands_field(hooks, "pre_deploy"),
                 commands_field(hooks, "post_deploy"), commands_field(hooks, "on_rollback")};
    read_migrations(out);
    read_waivers(out);
    check_jumps(out);
    check_addresses(out);
    return out;
  }

 private:
  void read_variables(Project& out) {
    out.vars = mapping_field(root_, "vars");
    check_names(out.vars);
    for (const auto& host : mapping_field(root_, "hosts").entries) check_names(mapping_field(host.value, "vars"));
    for (const char* name : {"app", "health"}) {
      const auto* entry = root_.find_entry(name);
      if (entry == nullptr) continue;
      (std::string_view(name) == "app" ? out.app : out.health) = entry->value;
      Node layer = mapping_node();
      layer.entries.push_back(*entry);
      // Headers of probes name secrets, which variables can't; they are rendered with the release.
      std::erase_if(layer.entries.back().value.entries,
                    [](const Node::Entry& one) { return one.key.text == "verify"; });
      out.vars = merge_nodes(out.vars, layer);
    }
  }

  void check_names(const Node& vars) {
    for (const auto& entry : vars.entries) {
      const auto& reserved = reserved_variables();
      // `facts` of a host says what render and validate assume of it.
      if (entry.key.text == "facts" || std::find(reserved.begin(), reserved.end(), entry.key.text) == reserved.end())
        continue;
      diagnostics_.add(Error("variables.reserved", fmt::format("a variable can't be called '{}'", entry.key.text),
                             "playbooks see something else under this name; choose another")
                           .at(entry.key.position()));
    }
  }

  void read_migrations(Project& out) {
    const Node* list = root_.find("migrations");
    if (list == nullptr) return;
    for (const auto& node : list->items) {
      Migration migration{text_field(node, "id"), list_field(node, "run"), list_field(node, "undo"),
                          text_field(node, "irreversible")};
      const bool twice = std::any_of(out.migrations.begin(), out.migrations.end(),
                                     [&](const Migration& other) { return other.id == migration.id; });
      if (twice) {
        diagnostics_.add(
            Error("project.duplicate-migration", fmt::format("two migrations have the id '{}'", migration.id))
                .at(node.position()));
      }
      out.migrations.push_back(std::move(migration));
    }
  }

  void read_waivers(Project& out) {
    const Node* list = root_.find("waivers");
    if (list == nullptr) return;
    for (const auto& node : list->items) {
      const auto position_of = [&](std::string_view key) {
        const Node* field = node.find(key);
        return field == nullptr ? node.position() : field->position();
      };
      out.waivers.push_back({{text_field(node, "control"), text_field(node, "hosts"), text_field(node, "owner"),
                              text_field(node, "reason"), text_field(node, "until")},
                             position_of("control"),
                             position_of("until")});
      const std::string& pattern = out.waivers.back().waiver.hosts;
      if (pattern.empty()) continue;
      if (auto selected = select_hosts(out, pattern); !selected.ok()) {
        diagnostics_.add(std::move(selected).error().at(node.find("hosts")->position()));
      }
    }
  }

  Position jump_position(const Host& host) const {
    const Node hosts = mapping_field(root_, "hosts");
    const Node* node = hosts.find(host.name);
    const Node* jump = node == nullptr ? nullptr : node->find("jump");
    return jump == nullptr ? host.position : jump->position();
  }

  void check_jumps(const Project& project) {
    std::vector<std::string> names;
    for (const auto& host : project.hosts) names.push_back(host.name);
    for (const auto& host : project.hosts) {
      if (host.jump.empty()) continue;
      if (project.find_host(host.jump) == nullptr) {
        diagnostics_.add(Error("project.unknown-jump",
                               fmt::format("{}: there is no host '{}' to jump through", host.name, host.jump),
                               did_you_mean(host.jump, names))
                             .at(jump_position(host)));
        continue;
      }
      std::vector<std::string> chain{host.name};
      const Host* next = project.find_host(host.jump);
      while (next != nullptr && std::find(chain.begin(), chain.end(), next->name) == chain.end()) {
        chain.push_back(next->name);
        next = next->jump.empty() ? nullptr : project.find_host(next->jump);
      }
      if (next != nullptr && next->name == host.name) {
        chain.push_back(host.name);
        diagnostics_.add(
            Error("project.jump-cycle", fmt::format("jump hosts go in a circle: {}", fmt::join(chain, " -> ")))
                .at(jump_position(host)));
        return;
      }
    }
  }

  void check_addresses(const Project& project) {
    std::map<std::string, std::string> seen;
    for (const auto& host : project.hosts) {
      if (host.address.empty()) continue;
      const auto place = fmt::format("{}:{} through '{}'", host.address, host.port.value_or(kSshPort), host.jump);
      const auto [earlier, added] = seen.emplace(place, host.name);
      if (!added) {
        diagnostics_.warn(
            Error("project.duplicate-address",
                  fmt::format("{} and {} have the same address {}", earlier->second, host.name, host.address),
                  "two names for one machine make two plans for it")
                .at(host.position));
      }
    }
  }

  const Node& root_;
  Diagnostics& diagnostics_;
};

std::optional<Node> read_text(const ProjectSource& source, Diagnostics& diagnostics) {
  const std::string directory = source.directory.empty() ? "." : source.directory;
  const std::string path = directory + "/" + kProjectFile;

  struct stat info {};

  if (!source.text && ::stat(path.c_str(), &info) != 0 && errno == ENOENT) {
    diagnostics.add(
        Error("project.missing",
              fmt::format("there is no {} in {}", kProjectFile, directory == "." ? "this directory" : directory),
              "'sentinelctl init' writes one; -C names another directory"));
    return {};
  }
  auto node = source.text ? parse_yaml(*source.text, kProjectFile) : load_yaml(path, kProjectFile);
  if (!node.ok()) {
    diagnostics.add(std::move(node).error());
    return {};
  }
  return std::move(node).value();
}

Node read_settings(const ProjectSource& source, Diagnostics& diagnostics) {
  Node out = mapping_node();
  for (const auto& setting : source.settings) {
    auto node = parse_setting(setting);
    if (!node.ok()) {
      diagnostics.add(std::move(node).error());
    } else {
      out = merge_nodes(out, *node);
    }
  }
  return out;
}

}  // namespace

SecretSpec SecretSource::spec() const {
  return {name, kind == Kind::kGenerate, encoding, bytes};
}

const Host* Project::find_host(const std::string& host_name) const {
  const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const Host& host) { return host.name == host_name; });
  return found == hosts.end() ? nullptr : &*found;
}

const SecretSource* Project::find_secret(const std::string& secret_name) const {
  const auto found = std::find_if(secrets.begin(), secrets.end(),
                                  [&](const SecretSource& secret) { return secret.name == secret_name; });
  return found == secrets.end() ? nullptr : &*found;
}

std::optional<Project> read_project(const ProjectSource& source, Diagnostics& diagnostics) {
  const auto root = read_text(source, diagnostics);
  Node settings = read_settings(source, diagnostics);
  if (!root) return {};
  const auto reported_before = diagnostics.reported;
  check_shape(*root, find_reference("project")->schema, "", Templates::kNo, diagnostics);
  if (!root->is_mapping() && diagnostics.reported > reported_before) return {};
  Project out = ProjectReader(*root, diagnostics).read();
  std::error_code failure;
  out.directory =
      std::filesystem::absolute(source.directory.empty() ? "." : source.directory, failure).lexically_normal().string();
  if (out.directory.size() > 1 && out.directory.ends_with('/')) out.directory.pop_back();
  out.settings = std::move(settings);
  return out;
}

std::optional<Project> load_project(const ProjectSource& source, Diagnostics& diagnostics) {
  const auto reported_before = diagnostics.reported;
  auto out = read_project(source, diagnostics);
  if (diagnostics.reported > reported_before) return {};
  return out;
}

std::string default_project_text(const std::optional<std::string>& user, const std::string& address,
                                 std::optional<std::uint16_t> port) {
  const std::string name = address.find(':') == std::string::npos ? address : "host";
  std::string text = fmt::format(
      "version: 1\nproject: sentinel\nstack: sentinel-vps\nhosts:\n  \"{}\":\n    address: \"{}\"\n", name, address);
  if (port) text += fmt::format("    port: {}\n", *port);
  if (user) text += fmt::format("    user: \"{}\"\n", *user);
  return text;
}

}  // namespace sentinel
