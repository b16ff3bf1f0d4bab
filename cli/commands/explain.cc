// SPDX-License-Identifier: Apache-2.0
// `explain CODE`: what an error means and what to do, from docs/reference/errors.yaml.
#include "cli/commands/commands.h"
#include "core/config/reference.h"

namespace sentinel {
namespace {

class ExplainCommand final : public Subcommand {
 public:
  std::string name() const override { return "explain"; }
  std::string summary() const override { return "what an error code means and what to do about it"; }

  void declare(Declaration& d) override { d.argument("CODE", code_, "as printed in error[CODE]; none: list all"); }

  ExitCode run(const Context& context) override {
    if (code_.empty()) return list(context);
    const auto page = error_page(code_);
    if (!page.ok()) return context.console.fail(page.error());
    context.console.data(*page);
    for (const ErrorPage& entry : error_pages()) {
      if (entry.code == code_) context.console.document(document({entry}));
    }
    return ExitCode::kDone;
  }

 private:
  static Document document(const std::vector<ErrorPage>& pages) {
    Document list = Document::array();
    for (const ErrorPage& page : pages) {
      list.push_back({{"code", page.code}, {"title", page.title}, {"cause", page.cause}, {"remedy", page.remedy}});
    }
    return {{"schema_version", kSchemaVersion}, {"errors", std::move(list)}};
  }

  static ExitCode list(const Context& context) {
    std::string text;
    for (const ErrorPage& page : error_pages()) text += page.code + "  " + page.title + "\n";
    context.console.data(text);
    context.console.document(document(error_pages()));
    return ExitCode::kDone;
  }

  std::string code_;
};

}  // namespace

std::unique_ptr<Subcommand> make_explain_command() { return std::make_unique<ExplainCommand>(); }

}  // namespace sentinel
