// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipeline/models_handler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/json/cursor.h"
#include "proxy/pipeline/percent.h"
#include "proxy/pipeline/upstream_call.h"

namespace sentinel::proxy {
namespace {

constexpr std::string_view kPrefix = "/v1";
constexpr std::string_view kOnePrefix = "/v1/models/";

struct KnownModel {
  std::string_view id;
  int created;
  std::string_view owner;
};

// What clients of the original are answered while its upstream is away.
constexpr std::array<KnownModel, 8> kKnown{{
    {"gpt-4o", 1706745600, "openai"},
    {"gpt-4o-mini", 1706745600, "openai"},
    {"gpt-4-turbo", 1706745600, "openai"},
    {"gpt-4", 1687882411, "openai"},
    {"gpt-3.5-turbo", 1677610602, "openai"},
    {"claude-3-5-sonnet-20241022", 1729555200, "anthropic"},
    {"claude-3-5-haiku-20241022", 1729555200, "anthropic"},
    {"claude-3-opus-20240229", 1709164800, "anthropic"},
}};

std::string model_json(const KnownModel& model) {
  return fmt::format(R"({{"id":{},"object":"model","created":{},"owned_by":"{}"}})", json_quoted(model.id),
                     model.created, model.owner);
}

template <typename Models>
std::string list_json(const Models& models) {
  std::string list = R"({"object":"list","data":[)";
  for (const KnownModel& model : models) {
    if (list.back() == '}') list.push_back(',');
    list.append(model_json(model));
  }
  return list.append("]}");
}

const KnownModel* find_known(std::string_view id) {
  for (const KnownModel& model : kKnown) {
    if (model.id == id) return &model;
  }
  return nullptr;
}

/// When an alias was made and by whom nobody needs to know; clients need the members to be there.
KnownModel offered_model(std::string_view id) {
  const KnownModel* const known = find_known(id);
  return known == nullptr ? KnownModel{id, 0, "sentinel"} : *known;
}

class ModelsCall final : public UpstreamCall {
 public:
  explicit ModelsCall(RequestContext& context) : UpstreamCall(context) {}

  /// True: the answer is whole and good.
  Task<bool> ask(AttemptSequence& attempts) {
    const ClientStatus status = co_await open(attempts);
    if (status != ClientStatus::kDone) co_return false;
    const bool whole = co_await read_whole(body_, services_.options.most_answer);
    if (whole) {
      keep_connection();
    } else {
      drop_connection();
    }
    if (!whole || head_.status != 200) co_return false;
    JsonCursor cursor(body_.view());
    const bool object = cursor.kind() == JsonKind::kObject;
    cursor.take();
    co_return object&& cursor.at_end();
  }

  std::string body() const { return std::string(body_.view()); }

 private:
  OutgoingRequest outgoing(const UpstreamTarget&) override {
    return {"GET", std::string(context_.exchange.head().target.substr(kPrefix.size())), {}, {}, 0};
  }

  Buffer body_;
};

}  // namespace

Task<void> ModelsHandler::answer_offered(RequestContext& context, const std::vector<std::string>& offered) {
  if (question_ == Question::kList) {
    std::vector<KnownModel> models;
    for (const std::string& id : offered) models.push_back(offered_model(id));
    co_await context.answer(200, list_json(models));
    co_return;
  }
  const std::string id = percent_decoded(context.exchange.head().path.substr(kOnePrefix.size()));
  if (std::find(offered.begin(), offered.end(), id) == offered.end()) {
    co_await context.refuse(404, "NOT_FOUND", fmt::format("Model '{}' not found", id));
    co_return;
  }
  co_await context.answer(200, model_json(offered_model(id)));
}

Task<void> ModelsHandler::handle(RequestContext& context) {
  const std::vector<std::string> offered = context.services.upstreams.models();
  if (!offered.empty()) {
    co_await answer_offered(context, offered);
    co_return;
  }
  const std::unique_ptr<AttemptSequence> attempts = context.services.upstreams.attempts({});
  if (attempts != nullptr) {
    ModelsCall call(context);
    const bool good = co_await call.ask(*attempts);
    if (context.client_gone) {
      context.exchange.abort();
      co_return;
    }
    if (good) {
      co_await context.answer(200, call.body());
      co_return;
    }
  }
  if (question_ == Question::kList) {
    co_await context.answer(200, list_json(kKnown));
    co_return;
  }
  const std::string id = percent_decoded(context.exchange.head().path.substr(kOnePrefix.size()));
  if (const KnownModel* known = find_known(id)) {
    co_await context.answer(200, model_json(*known));
    co_return;
  }
  co_await context.refuse(404, "NOT_FOUND", fmt::format("Model '{}' not found", id));
}

}  // namespace sentinel::proxy
