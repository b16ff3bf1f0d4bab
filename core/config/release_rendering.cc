// SPDX-License-Identifier: Apache-2.0
#include "core/config/release_rendering.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/fields.h"
#include "core/config/host_variables.h"
#include "core/config/scalar_types.h"
#include "core/config/template_check.h"
#include "core/model/bundle.h"
#include "core/model/image.h"
#include "core/model/probe_headers.h"

namespace sentinel {
namespace {

constexpr std::uint32_t kStopMargin = 15;  // seconds systemd grants a release beyond its drain budget
constexpr int kMetricsPort = 9464;         // of a stack that names none

std::string text_of(const Value& scope, const char* group, const char* name) {
  const Value& value = scope.at(group).at(name);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::uint32_t seconds_of(const Value& value) {
  return parse_duration(value.is_string() ? value.get<std::string>() : value.dump()).value_or(0);
}

// The project's probes ask the application's port; a release that has no traffic yet is asked at its own endpoint.
HealthSettings health_of(const Project& project, const std::string& listen, const ReleaseWish& wish) {
  HealthSettings settings = project.health_settings;
  const std::string ours = "http://" + listen + "/";
  for (auto& probe : settings.probes) {
    auto* http = std::get_if<HttpProbe>(&probe.target);
    if (http == nullptr) continue;
    if (http->url.starts_with(ours)) http->url = kReleaseHost + http->url.substr(ours.size());
    http->headers.clear();  // they go as a file of the release
  }
  if (wish.start_seconds) settings.gate.deadline_ms = *wish.start_seconds * 1000;
  return settings;
}

// Containers listen on no port: the one that has the traffic is behind the link.
WatchSettings watch_of(const Project& project, const std::string& listen, bool compose) {
  WatchSettings settings = project.watch;
  if (!compose) return settings;
  for (auto& probe : settings.probes) {
    auto* http = std::get_if<HttpProbe>(&probe.target);
    if (http != nullptr && http->url.starts_with("http://" + listen + "/"))
      http->socket = ReleasePaths::sockets(project.name) + "/current/api.sock";
  }
  return settings;
}

class Renderer {
 public:
  Renderer(const Project& project, const Host& host, const Assets& assets, const ReleaseWish& wish,
           Diagnostics& diagnostics)
      : project_(project), host_(host), files_(assets), wish_(wish), diagnostics_(diagnostics) {
    for (const auto& secret : project.secrets) names_.push_back(secret.name);
  }

  /// Adds a file rendered from `source`; its place in the release, to refer to it.
  std::optional<ReleaseFile> add(const std::string& path, std::uint32_t mode, const TemplateSource& source,
                                 const Value& scope) {
    TemplateOrigin origin;
    origin.file = source.path;
    const auto content = render(path, source.text, origin, scope);
    if (!content) return {};
    return add(path, mode, *content);
  }

  /// False when one can't be rendered.
  bool add_probe_headers(const Value& scope) {
    ProbeHeaders headers;
    bool rendered = true;
    const Node* probes = project_.health.find("verify");
    for (const auto& probe : probes == nullptr ? std::vector<Node>() : probes->items) {
      for (const auto& entry : mapping_field(probe, "headers").entries) {
        auto value = render("a probe's header", entry.value.text, entry.value.origin(), scope);
        rendered = rendered && value;
        if (value) headers[text_field(probe, "name")][entry.key.text] = std::move(*value);
      }
    }
    if (!headers.empty()) add(kReleaseHeaders, 0644, write_probe_headers(headers));
    return rendered;
  }

  ReleaseFile add(const std::string& path, std::uint32_t mode, const Content& content) {
    ReleaseFile file{path, mode, reference_to(content)};
    out.contents[file.content.digest] = content.serialize();
    out.release.files.push_back(file);
    return file;
  }

  std::optional<TemplateSource> shipped(const std::string& name) {
    auto source = files_.require(name);
    if (source.ok()) return std::move(source).value();
    diagnostics_.add(std::move(source).error().during(fmt::format("for host {}", host_.name)));
    return {};
  }

  std::optional<TemplateSource> of_bundle(const std::string& name) {
    const auto file =
        std::find_if(wish_.files.begin(), wish_.files.end(), [&](const TarFile& one) { return one.name == name; });
    if (file != wish_.files.end()) return TemplateSource{name + " of the bundle", std::string(file->bytes)};
    diagnostics_.add(Error("bundle.malformed", fmt::format("the bundle has no {}", name),
                           "a bundle is what packaging/proxy/bundle makes", ExitCode::kUsage));
    return {};
  }

  /// False.
  bool refuse_secret(const std::string& place) {
    diagnostics_.add(Error("release.secret-in-config", "a secret stands in " + place,
                           "put it into app/environment.j2, which only the host's root reads", ExitCode::kUsage));
    return false;
  }

  ReleaseRendering out;

 private:
  std::optional<Content> render(const std::string& what, const std::string& text, const TemplateOrigin& origin,
                                const Value& scope) {
    RenderOptions options;
    options.origin = origin;
    options.includes = &files_;
    options.secrets = names_;
    auto content = render_content(text, scope, options);
    if (!content.ok()) {
      diagnostics_.add(std::move(content).error().during(fmt::format("rendering {} for host {}", what, host_.name)));
      return {};
    }
    for (const auto& piece : content->pieces()) {
      if (const auto* hole = std::get_if<Hole>(&piece)) use(hole->secret);
    }
    return std::move(content).value();
  }

  void use(const std::string& name) {
    const auto known =
        std::any_of(out.secrets.begin(), out.secrets.end(), [&](const SecretSpec& one) { return one.name == name; });
    if (known) return;
    if (const auto* source = project_.find_secret(name); source != nullptr) out.secrets.push_back(source->spec());
  }

  const Project& project_;
  const Host& host_;
  TemplateFiles files_;
  const ReleaseWish& wish_;
  Diagnostics& diagnostics_;
  std::vector<std::string> names_;
};

bool add_units(Renderer& renderer, Value known, const std::string& app) {
  const auto unit = renderer.of_bundle("templates/release.service.j2");
  const auto socket = renderer.of_bundle("templates/release.socket.j2");
  if (!unit || !socket) return false;
  // The bundle's templates call the application so.
  known["app"] = app;
  const auto unit_file = renderer.add(kReleaseUnit, 0644, *unit, known);
  const auto socket_file = renderer.add(kReleaseSocket, 0644, *socket, known);
  if (!unit_file || !socket_file) return false;
  if (unit_file->content.holes || socket_file->content.holes) return renderer.refuse_secret("a unit of the bundle");
  renderer.out.release.unit_digest = unit_file->content.digest;
  return true;
}

bool add_compose_file(Renderer& renderer, const Value& known) {
  const auto source = renderer.shipped("app/compose.yaml.j2");
  if (!source) return false;
  const auto file = renderer.add(kReleaseCompose, 0644, *source, known);
  if (!file) return false;
  if (file->content.holes) return renderer.refuse_secret("app/compose.yaml.j2, which others can read");
  renderer.out.release.unit_digest = file->content.digest;
  return true;
}

}  // namespace

Result<ReleaseWish> wish_of_archive(std::string_view archive) {
  SENTINEL_TRY(const auto files, read_tar(archive));
  ReleaseWish wish;
  if (is_image(files)) {
    SENTINEL_TRY(auto image, read_image(archive));
    wish.artefact = std::move(image.artefact);
    wish.architecture = std::move(image.architecture);
    wish.contents = std::move(image.parts);
    return wish;
  }
  SENTINEL_TRY(auto bundle, read_bundle(archive));
  wish.artefact = std::move(bundle.artefact);
  wish.architecture = std::move(bundle.architecture);
  wish.contents[wish.artefact.sha256] = archive;
  wish.files = std::move(bundle.files);
  return wish;
}

std::optional<ReleaseRendering> render_release(const Project& project, const Playbook& playbook, const Host& host,
                                               const Facts& facts, const Assets& assets, const ReleaseWish& wish,
                                               Diagnostics& diagnostics) {
  auto scope = host_scope(project, playbook, host, facts, diagnostics);
  if (!scope) return {};
  const bool compose = text_of(*scope, "app", "runtime") == "compose";
  const bool image = wish.artefact.kind == Artefact::Kind::kImage;
  if (compose != image) {
    diagnostics.add(Error("release.runtime",
                          fmt::format("the artefact is {}, and app.runtime is {}", image ? "an image" : "a bundle",
                                      compose ? "compose" : "systemd"),
                          "compose runs images, systemd runs bundles", ExitCode::kUsage));
    return {};
  }
  const ReleasePaths paths{project.name, wish.id};
  Renderer renderer(project, host, assets, wish, diagnostics);
  Release& release = renderer.out.release;
  release.id = wish.id;
  release.app = project.name;
  release.runtime = compose ? RuntimeKind::kCompose : RuntimeKind::kSystemd;
  release.artefact = wish.artefact;
  for (const auto& one : project.migrations)
    release.migrations.push_back({one.id, one.run, one.undo, one.irreversible});
  release.policy.keep = scope->at("app").at("keep").get<std::uint32_t>();
  release.policy.drain_seconds = seconds_of(scope->at("app").at("drain"));

  Value& known = *scope;
  known["release"] = wish.id;
  known["directory"] = paths.directory();
  known["drain_seconds"] = release.policy.drain_seconds;
  known["stop_timeout"] = release.policy.drain_seconds + kStopMargin;
  known["listen"] = "127.0.0.1:" + text_of(known, "app", "port");
  const Value& app = known.at("app");
  known["metrics_listen"] = "127.0.0.1:" + (app.contains("metrics_port") ? text_of(known, "app", "metrics_port")
                                                                         : std::to_string(kMetricsPort));
  release.policy.health = health_of(project, known.at("listen").get<std::string>(), wish);
  const auto environment = renderer.shipped("app/environment.j2");
  const auto config = renderer.shipped("app/config.yaml.j2");
  if (!environment || !config) return {};
  const auto environment_file = renderer.add(kReleaseEnvironment, 0644, *environment, known);
  const auto config_file = renderer.add(kReleaseConfig, 0644, *config, known);
  if (!environment_file || !config_file) return {};
  if (config_file->content.holes) {
    renderer.refuse_secret("app/config.yaml.j2, which the program reads as its own user");
    return {};
  }
  known["environment"] = paths.installed(*environment_file);
  known["config"] = paths.installed(*config_file);
  if (!(compose ? add_compose_file(renderer, known) : add_units(renderer, known, project.name))) return {};
  if (!renderer.add_probe_headers(known)) return {};
  const auto watch = watch_of(project, known.at("listen").get<std::string>(), compose);
  renderer.add(kReleaseWatch, 0644, Content(nlohmann::json(watch).dump(2) + "\n"));
  release.env_digest = environment_file->content.digest;
  release.config_digest = config_file->content.digest;
  for (const auto& [digest, bytes] : wish.contents) renderer.out.contents[digest] = std::string(bytes);
  return std::move(renderer.out);
}

}  // namespace sentinel
