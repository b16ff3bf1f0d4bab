// SPDX-License-Identifier: Apache-2.0
// One small function per kind; the fields are those of docs/reference/resources.
#include "core/config/resource_builder.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "core/config/fields.h"
#include "core/config/reference.h"
#include "core/config/scalar_types.h"

namespace sentinel {
namespace {

struct FileKind {
  std::string_view name;
  FileFormat format;
  std::string_view directory;  ///< in front of `name`; empty: the kind has a `path`
  std::string_view mode;       ///< used when the kind has no `mode`
};

constexpr std::array<FileKind, 7> kFileKinds{{{"file", FileFormat::kPlain, "", ""},
                                              {"sudoers", FileFormat::kSudoers, "/etc/sudoers.d/", "0440"},
                                              {"systemd_unit", FileFormat::kSystemdUnit, "/etc/systemd/system/", ""},
                                              {"caddyfile", FileFormat::kCaddyfile, "", ""},
                                              {"prometheus_config", FileFormat::kPrometheus, "", ""},
                                              {"prometheus_rules", FileFormat::kPrometheusRules, "", ""},
                                              {"fail2ban", FileFormat::kFail2ban, "", ""}}};

const FileKind* find_file_kind(const std::string& kind) {
  for (const auto& entry : kFileKinds) {
    if (entry.name == kind) return &entry;
  }
  return nullptr;
}

Ensure ensure_of(const Node& body) {
  return text_field(body, "ensure", "present") == "absent" ? Ensure::kAbsent : Ensure::kPresent;
}

std::uint32_t mode_of(const Node& body, std::string_view fallback) {
  return parse_mode(text_field(body, "mode", std::string(fallback))).value_or(0600);
}

std::optional<bool> optional_bool(const Node& body, std::string_view key) {
  if (body.find(key) == nullptr) return {};
  return bool_field(body, key, false);
}

std::optional<std::uint32_t> optional_id(const Node& body, std::string_view key) {
  if (body.find(key) == nullptr) return {};
  return static_cast<std::uint32_t>(int_field(body, key, 0));
}

std::map<std::string, std::string> text_map(const Node& body, std::string_view key) {
  std::map<std::string, std::string> out;
  for (const auto& entry : mapping_field(body, key).entries) out[entry.key.text] = entry.value.text;
  return out;
}

FirewallRule rule_of(const Node& node) {
  FirewallRule out;
  const auto spec = parse_port_spec(node.is_scalar() ? node.text : text_field(node, "port", ""));
  if (spec.ok()) {
    out.port = spec->port;
    out.protocol = spec->protocol;
  } else {
    out.protocol = "any";
  }
  if (node.is_scalar()) return out;
  out.protocol = text_field(node, "protocol", out.protocol);
  out.action = text_field(node, "action", "allow");
  out.from = text_field(node, "from", "any");
  out.comment = text_field(node, "comment");
  return out;
}

class Builder {
 public:
  Builder(const Node& body, const ContentRef& content, Diagnostics& diagnostics)
      : body_(body), content_(content), diagnostics_(diagnostics) {}

  std::optional<ResourceBody> build(const std::string& kind) {
    if (const auto* file = find_file_kind(kind)) return make_file(*file);
    if (kind == "sshd") return SshdConfig{text("path"), needed_content(), text_map(body_, "effective")};
    if (kind == "directory")
      return Directory{text("path"), text("owner"), text("group"), mode_of(body_, "0755"), ensure_of(body_)};
    if (kind == "link") return make_link();
    if (kind == "package") return Package{list_field(body_, "names"), ensure_of(body_)};
    if (kind == "apt_source") return make_apt_source();
    if (kind == "user") return make_user();
    if (kind == "group")
      return Group{text("name"), optional_id(body_, "gid"), bool_field(body_, "system", false), ensure_of(body_)};
    if (kind == "authorized_keys")
      return AuthorizedKeys{text("user"), list_field(body_, "keys"), bool_field(body_, "exclusive", false)};
    if (kind == "sysctl") return Sysctl{text("path"), text_map(body_, "values"), ensure_of(body_)};
    if (kind == "service") return make_service();
    if (kind == "firewall") return make_firewall();
    return make_command();
  }

  bool failed() const { return failed_; }

 private:
  std::string text(std::string_view key) const { return text_field(body_, key); }

  void fail(const char* code, std::string message, const Node& where, std::string hint = {}) {
    failed_ = true;
    diagnostics_.add(Error(code, std::move(message), std::move(hint)).at(where.position()));
  }

  void need(std::string_view key) {
    if (ensure_of(body_) == Ensure::kPresent && body_.find(key) == nullptr) {
      fail("schema.missing-key", fmt::format("the key '{}' is missing", key), body_);
    }
  }

  ContentRef needed_content() {
    const bool given =
        body_.find("content") != nullptr || body_.find("template") != nullptr || body_.find("source") != nullptr;
    if (!given && ensure_of(body_) == Ensure::kPresent) {
      fail("schema.missing-key", "one of content, template, source is needed", body_);
    }
    return ensure_of(body_) == Ensure::kPresent ? content_ : ContentRef{};
  }

  ResourceBody make_file(const FileKind& kind) {
    File out;
    out.path = kind.directory.empty() ? text("path") : std::string(kind.directory) + text("name");
    out.content = needed_content();
    out.owner = text_field(body_, "owner", "root");
    out.group = text_field(body_, "group", "root");
    out.mode = mode_of(body_, kind.mode);
    out.ensure = ensure_of(body_);
    out.format = kind.format;
    if (kind.format == FileFormat::kSudoers && text("name").find('.') != std::string::npos) {
      fail("resource.sudoers-name",
           fmt::format("sudo ignores files with a dot in their name, such as '{}'", text("name")), *body_.find("name"),
           "choose a name without a dot");
    }
    return out;
  }

  ResourceBody make_link() {
    need("target");
    return Link{text("path"), text("target"), ensure_of(body_)};
  }

  ResourceBody make_apt_source() {
    need("line");
    const AptSource out{text("name"), needed_content(), text("line"), ensure_of(body_)};
    const std::string signed_by = fmt::format("signed-by=/etc/apt/keyrings/{}.asc", out.name);
    if (out.ensure == Ensure::kPresent && !out.line.empty() && out.line.find(signed_by) == std::string::npos) {
      fail("resource.apt-signed-by", "the line doesn't name the repository's own key", *body_.find("line"),
           fmt::format("write deb [{}] ...", signed_by));
    }
    return out;
  }

  ResourceBody make_user() {
    return User{text("name"),    optional_id(body_, "uid"),
                text("group"),   list_field(body_, "groups"),
                text("home"),    text("shell"),
                text("comment"), bool_field(body_, "system", false),
                ensure_of(body_)};
  }

  ResourceBody make_service() {
    Service out{text("unit"), optional_bool(body_, "enabled"), optional_bool(body_, "active"),
                optional_bool(body_, "masked"), list_field(body_, "reads")};
    if (out.masked.value_or(false) && (out.enabled.value_or(false) || out.active.value_or(false))) {
      fail("resource.masked-service", fmt::format("{} can't be masked and enabled or active at once", out.unit),
           *body_.find("masked"));
    }
    return out;
  }

  ResourceBody make_firewall() {
    Firewall out;
    out.enabled = bool_field(body_, "enabled", true);
    out.incoming = text("incoming");
    out.outgoing = text("outgoing");
    out.routed = text("routed");
    out.logging = text("logging");
    out.ipv6 = bool_field(body_, "ipv6", true);
    if (const Node* limits = body_.find("limit")) {
      for (const auto& port : limits->items) {
        out.rules.push_back(rule_of(port));
        out.rules.back().action = "limit";
      }
    }
    if (const Node* rules = body_.find("rules")) {
      for (const auto& rule : rules->items) out.rules.push_back(rule_of(rule));
    }
    return out;
  }

  ResourceBody make_command() {
    Command out;
    out.argv = list_field(body_, "argv");
    out.creates = text("creates");
    out.unless = list_field(body_, "unless");
    out.always = bool_field(body_, "always", false);
    out.undo = list_field(body_, "undo");
    out.timeout_seconds = parse_duration(text_field(body_, "timeout", "300s")).value_or(300);
    const Node* always = body_.find("always");
    if (always != nullptr && !out.always) {
      fail("resource.unguarded-command", "a command needs a guard: 'always' is false", *always,
           "use 'creates' or 'unless', or always: true");
    }
    return out;
  }

  const Node& body_;
  const ContentRef& content_;
  Diagnostics& diagnostics_;
  bool failed_ = false;
};

}  // namespace

std::string primary_text(const std::string& kind, const Node& body) {
  const Node* value = body.find(find_reference(kind)->primary);
  if (value == nullptr) return {};
  return fmt::format("{}", fmt::join(texts_of(*value), kind == "command" ? " " : ", "));
}

std::string file_path(const std::string& kind, const Node& body) {
  if (const auto* file = find_file_kind(kind)) {
    return file->directory.empty() ? text_field(body, "path") : std::string(file->directory) + text_field(body, "name");
  }
  return kind == "sshd" || kind == "directory" || kind == "link" || kind == "sysctl" ? text_field(body, "path")
                                                                                     : std::string();
}

std::optional<ResourceBody> build_resource(const std::string& kind, const Node& body, const ContentRef& content,
                                           Diagnostics& diagnostics) {
  Builder builder(body, content, diagnostics);
  auto out = builder.build(kind);
  if (builder.failed()) return {};
  return out;
}

}  // namespace sentinel
