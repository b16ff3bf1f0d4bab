// SPDX-License-Identifier: Apache-2.0
// Records are written by hand, field by field: what leaves the program is a contract, not a mirror of our structs.
#include "core/report/documents.h"

#include <type_traits>

#include "core/model/json.h"

namespace sentinel {
namespace {

template <typename T>
Document optional_value(const std::optional<T>& value) {
  return value ? Document(*value) : Document();
}

Document text_or_null(const std::string& text) { return text.empty() ? Document() : Document(text); }

Document position_record(const std::optional<Position>& position) {
  if (!position) return {};
  return {{"file", position->file}, {"line", position->line}, {"column", position->column}};
}

Document error_fields(const Error& error) {
  return {{"code", error.code},
          {"message", error.message},
          {"position", position_record(error.position)},
          {"context", error.context},
          {"hint", text_or_null(error.hint)},
          {"exit", static_cast<int>(error.exit)}};
}

Document step_record(const Step& step) {
  Document changes = Document::array();
  for (const Change& change : step.changes) {
    changes.push_back({{"attribute", change.attribute},
                       {"before", change.before},
                       {"after", change.after},
                       {"sensitive", change.sensitive}});
  }
  Document effects = Document::array();
  for (const Effect& effect : step.effects) effects.push_back(to_string(effect));
  return {{"id", step.id},           {"kind", step.kind},       {"title", step.title},
          {"risk", to_string(step.risk)}, {"changes", changes}, {"effects", effects}};
}

std::string plan_status(const HostPlan& host) {
  if (host.failed()) return "error";
  return host.has_changes() ? "changes" : "in-sync";
}

template <typename Report, typename Record>
Document document_of(const std::vector<Report>& hosts, Record record) {
  Document list = Document::array();
  for (const auto& host : hosts) list.push_back(record(host));
  return {{"schema_version", kSchemaVersion}, {"hosts", std::move(list)}};
}

}  // namespace

Document error_record(const Errors& errors) {
  if (errors.empty()) return {};
  Document record = error_fields(errors.front());
  Document also = Document::array();
  for (std::size_t i = 1; i < errors.size(); ++i) also.push_back(error_fields(errors[i]));
  record["also"] = std::move(also);
  return record;
}

Document plan_document(const std::vector<HostPlan>& hosts) {
  return document_of(hosts, [](const HostPlan& host) -> Document {
    Document steps = Document::array();
    if (host.plan) {
      for (const Step& step : host.plan->steps) steps.push_back(step_record(step));
    }
    return {{"host", host.host},
            {"status", plan_status(host)},
            {"error", error_record(host.errors)},
            {"steps", std::move(steps)}};
  });
}

Document run_document(const std::vector<HostRun>& hosts) {
  return document_of(hosts, [](const HostRun& host) -> Document {
    return {{"host", host.host},
            {"outcome", to_string(host.outcome)},
            {"generation", optional_value(host.generation)},
            {"release", text_or_null(host.release)},
            {"transaction", text_or_null(host.transaction)},
            {"duration_ms", host.duration_ms},
            {"changed", host.changed},
            {"log", host.log},
            {"error", error_record(host.errors)}};
  });
}

Document status_document(const std::vector<HostStatus>& hosts) {
  return document_of(hosts, [](const HostStatus& host) -> Document {
    return {{"host", host.host},
            {"reachable", host.reachable},
            {"generation", optional_value(host.generation)},
            {"release", text_or_null(host.release)},
            {"healthy", optional_value(host.healthy)},
            {"drift", optional_value(host.drift)},
            {"last_transaction", Document(host.last_transaction)},
            {"error", error_record(host.errors)}};
  });
}

Document failure_document(const Errors& errors) {
  return {{"schema_version", kSchemaVersion}, {"error", error_record(errors)}};
}

Document event_line(const std::string& host, const Event& event) {
  const nlohmann::json fields = event;
  Document line = {{"schema_version", kSchemaVersion}, {"host", host}, {"type", Document(fields.at("type"))}};
  for (const char* name : {"time", "step", "text", "deadline_ms", "outcome", "generation", "changed", "release", "log"}) {
    line[name] = Document(fields.at(name));
  }
  line["error"] = error_record(event.errors);
  return line;
}

std::string document_text(const Document& document) {
  return document.dump(2, ' ', false, Document::error_handler_t::replace) + "\n";
}

std::string document_line(const Document& document) {
  return document.dump(-1, ' ', false, Document::error_handler_t::replace) + "\n";
}

}  // namespace sentinel
