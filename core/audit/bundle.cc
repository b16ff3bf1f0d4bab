// SPDX-License-Identifier: Apache-2.0
// Records in order: audit; per host host, control..., observation..., end of the host is the next host; end.
#include "core/audit/bundle.h"

#include <fmt/format.h>

#include "core/base/digest.h"
#include "core/model/json.h"

namespace sentinel {
namespace {

constexpr int kBundleFormat = 1;
constexpr std::size_t kDigestLength = 64;

Error unreadable(const std::string& why) {
  return Error("evidence.unreadable", "this is not a bundle of this version: " + why,
               "make a new one: sentinelctl check --bundle FILE", ExitCode::kUsage);
}

class Writer {
 public:
  void add(const std::string& kind, nlohmann::json fields) {
    fields["record"] = number_++;
    fields["kind"] = kind;
    fields["previous"] = previous_;
    const std::string json = to_text(fields);
    previous_ = sha256_hex(json);
    text_ += previous_ + " " + json + "\n";
  }

  std::string take() && { return std::move(text_); }

 private:
  std::size_t number_ = 0;
  std::string previous_ = std::string(kDigestLength, '0');
  std::string text_;
};

// What a damaged record says of itself; it may be wrong in that too.
std::string description(const std::string& text) {
  const auto json = parse_json(text);
  if (!json.ok() || !json->is_object()) return "";
  const auto field = [&](const char* name) {
    const auto found = json->find(name);
    return found != json->end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto observation = json->find("observation");
  const auto control = json->find("control");
  std::string subject;
  if (observation != json->end() && observation->is_object())
    subject = observation->value("probe", nlohmann::json()).dump();
  if (control != json->end() && control->is_object()) subject = control->value("id", nlohmann::json()).dump();
  return fmt::format(" ({}{}{}{}{})", field("kind"), subject.empty() ? "" : " ", subject,
                     field("host").empty() ? "" : " of ", field("host"));
}

Error damaged(std::size_t record, const std::string& what, const std::string& json = {}) {
  return Error("evidence.damaged", fmt::format("record {}{} {}", record, description(json), what),
               "take the bundle from where it was kept first", ExitCode::kUsage);
}

// The records of a bundle whose chain is whole.
Result<std::vector<nlohmann::json>> records_of(std::string_view text) {
  std::vector<nlohmann::json> records;
  std::string previous(kDigestLength, '0');
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t number = records.size();
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return damaged(number, "is cut off");
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.size() < kDigestLength + 2) return damaged(number, "is too short");
    const std::string_view digest = line.substr(0, kDigestLength);
    const std::string json(line.substr(kDigestLength + 1));
    if (line[kDigestLength] != ' ' || sha256_hex(json) != digest) {
      return damaged(number, "is not what its digest says", json);
    }
    auto record = parse_json(json);
    if (!record.ok() || !record->is_object()) return unreadable(fmt::format("record {} is no JSON object", number));
    if (record->value("previous", nlohmann::json()) != previous) {
      return damaged(number, "was not written after the one before it: a record was replaced, added or taken out",
                     json);
    }
    previous = std::string(digest);
    records.push_back(std::move(*record));
  }
  return records;
}

Result<EvidenceBundle> decode_records(const std::vector<nlohmann::json>& records) {
  try {
    if (records.empty() || records.front().at("kind") != "audit") return unreadable("it doesn't begin with the audit");
    if (records.front().at("format") != kBundleFormat) return unreadable("another format");
    if (records.back().at("kind") != "end") return damaged(records.size(), "is missing: the bundle is cut off");
    EvidenceBundle bundle;
    records.front().at("version").get_to(bundle.version);
    records.front().at("project").get_to(bundle.project);
    records.front().at("profile").get_to(bundle.profile);
    records.front().at("taken_at").get_to(bundle.taken_at);
    for (std::size_t i = 1; i + 1 < records.size(); ++i) {
      const nlohmann::json& record = records[i];
      const auto kind = record.at("kind").get<std::string>();
      const auto host = record.at("host").get<std::string>();
      if (kind == "host") {
        HostEvidence& evidence = bundle.hosts.emplace_back();
        evidence.host = host;
        record.at("asked_at").get_to(evidence.asked_at);
        record.at("duration_ms").get_to(evidence.duration_ms);
        record.at("waivers").get_to(evidence.waivers);
        record.at("history").get_to(evidence.history);
        record.at("answer").get_to(evidence.record);
        record.at("errors").get_to(evidence.errors);
        continue;
      }
      if (bundle.hosts.empty() || bundle.hosts.back().host != host) return unreadable("a record is out of place");
      HostEvidence& evidence = bundle.hosts.back();
      if (kind == "control") {
        evidence.controls.push_back(record.at("control").get<Control>());
      } else if (kind == "observation") {
        auto observation = record.at("observation").get<Observation>();
        evidence.record.observations[observation.probe] = std::move(observation);
      } else {
        return unreadable(fmt::format("a record of kind '{}'", kind));
      }
    }
    return bundle;
  } catch (const nlohmann::json::exception& failure) {
    return unreadable(failure.what());
  }
}

}  // namespace

std::string evidence_text(const EvidenceBundle& bundle) {
  Writer out;
  out.add("audit", {{"format", kBundleFormat},
                    {"version", bundle.version},
                    {"project", bundle.project},
                    {"profile", bundle.profile},
                    {"taken_at", bundle.taken_at}});
  for (const HostEvidence& host : bundle.hosts) {
    HostRecord answer = host.record;
    answer.observations.clear();  // records of their own, so that damage is named precisely
    out.add("host", {{"host", host.host},
                     {"asked_at", host.asked_at},
                     {"duration_ms", host.duration_ms},
                     {"waivers", host.waivers},
                     {"history", host.history},
                     {"answer", answer},
                     {"errors", host.errors}});
    for (const Control& control : host.controls) out.add("control", {{"host", host.host}, {"control", control}});
    for (const auto& [probe, observation] : host.record.observations) {
      out.add("observation", {{"host", host.host}, {"observation", observation}});
    }
  }
  out.add("end", {{"hosts", bundle.hosts.size()}});
  return std::move(out).take();
}

std::string evidence_head(std::string_view text) {
  if (text.empty()) return std::string(kDigestLength, '0');
  const std::size_t begin = text.rfind('\n', text.size() - 2);
  return std::string(text.substr(begin == std::string_view::npos ? 0 : begin + 1, kDigestLength));
}

Result<EvidenceBundle> read_evidence(std::string_view text) {
  if (text.empty()) return unreadable("it is empty");
  SENTINEL_TRY(const auto records, records_of(text));
  return decode_records(records);
}

}  // namespace sentinel
