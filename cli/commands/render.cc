// SPDX-License-Identifier: Apache-2.0
// `render`: every file that would be put on each host, for reading and for reviews. No network; secrets stay holes, shown
// as `[secret NAME]`. Facts are those of a Debian 12 machine unless the host's variable `facts` says otherwise.
#include <unistd.h>

#include <fmt/format.h>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/workspace.h"
#include "core/base/file.h"
#include "core/report/printable.h"

namespace sentinel {
namespace {

std::string mode_text(std::uint32_t mode) { return fmt::format("{:04o}", mode); }

class RenderCommand final : public Subcommand {
 public:
  std::string name() const override { return "render"; }
  std::string summary() const override { return "write every file the hosts would get, without a network"; }

  void declare(Declaration& d) override {
    d.option("--out", "DIR", out_, "write into DIR/<host>/<path> instead of showing them");
  }

  ExitCode run(const Context& context) override {
    Diagnostics diagnostics;
    const auto workspace = open_workspace(context, diagnostics);
    if (!workspace) return context.console.fail(diagnostics.errors);
    std::vector<Expansion> expansions;
    for (const Host* host : workspace->hosts) {
      auto expansion = expand_offline(workspace->project, workspace->playbook, *host, workspace->assets, diagnostics);
      if (expansion) expansions.push_back(std::move(*expansion));
    }
    context.console.warn(diagnostics.warnings);
    if (!diagnostics.ok()) return context.console.fail(diagnostics.errors);
    if (!out_.empty()) {
      for (const Expansion& expansion : expansions) {
        if (const auto written = write(expansion); !written.ok()) return context.console.fail(written.error());
      }
      if (const auto written = write_health(workspace->project.health_settings); !written.ok()) {
        return context.console.fail(written.error());
      }
    }
    context.console.document(document(expansions));
    context.console.data(out_.empty() ? text(expansions) : fmt::format("written to {}\n", out_));
    return ExitCode::kDone;
  }

 private:
  Result<void> write(const Expansion& expansion) const {
    for (const RenderedFile& file : expansion.files) {
      const std::string path = fmt::format("{}/{}{}", std::filesystem::absolute(out_).string(), expansion.request.host, file.path);
      SENTINEL_CHECK(make_directories(parent_directory(path)));
      SENTINEL_CHECK(replace_file(path, file.text, FileAttributes{geteuid(), getegid(), 0644}));
    }
    return {};
  }

  /// For `sentinel-agent verify --config`.
  Result<void> write_health(const HealthSettings& settings) const {
    const std::string path = std::filesystem::absolute(out_).string() + "/health.json";
    return replace_file(path, nlohmann::json(settings).dump(2) + "\n", FileAttributes{geteuid(), getegid(), 0644});
  }

  static std::string text(const std::vector<Expansion>& expansions) {
    std::string out;
    for (const Expansion& expansion : expansions) {
      for (const RenderedFile& file : expansion.files) {
        out += fmt::format("==> {}:{} ({}:{} {}) <==\n{}", expansion.request.host, file.path, file.owner, file.group,
                           mode_text(file.mode), printable_text(file.text));
        if (!file.text.empty() && file.text.back() != '\n') out += "\n";
      }
    }
    return out;
  }

  static Document document(const std::vector<Expansion>& expansions) {
    Document hosts = Document::array();
    for (const Expansion& expansion : expansions) {
      Document files = Document::array();
      for (const RenderedFile& file : expansion.files) {
        files.push_back({{"resource", file.resource},
                         {"path", file.path},
                         {"owner", file.owner},
                         {"group", file.group},
                         {"mode", mode_text(file.mode)},
                         {"text", file.text}});
      }
      hosts.push_back({{"host", expansion.request.host}, {"files", std::move(files)}});
    }
    return {{"schema_version", kSchemaVersion}, {"hosts", std::move(hosts)}};
  }

  std::string out_;
};

}  // namespace

std::unique_ptr<Subcommand> make_render_command() { return std::make_unique<RenderCommand>(); }

}  // namespace sentinel
