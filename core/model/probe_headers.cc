// SPDX-License-Identifier: Apache-2.0
#include "core/model/probe_headers.h"

#include "core/model/json.h"

namespace sentinel {

Content write_probe_headers(const ProbeHeaders& headers) {
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
  Content out("{");
  const char* next_probe = "\n";
  for (const auto& [probe, values] : headers) {
    out.append(next_probe + quoted(probe) + ": {");
    next_probe = ",\n";
    const char* next_header = "\n  ";
    for (const auto& [name, value] : values) {
      out.append(next_header + quoted(name) + ": [");
      next_header = ",\n  ";
      const char* next_piece = "";
      for (const auto& piece : value.pieces()) {
        out.append(std::string(next_piece));
        next_piece = ", ";
        if (const auto* text = std::get_if<std::string>(&piece)) {
          out.append(quoted(*text));
        } else {
          Hole hole = std::get<Hole>(piece);
          hole.filters.push_back("yaml");  // its quotes are JSON's for all that a header can hold
          out.append(std::move(hole));
        }
      }
      out.append(std::string("]"));
    }
    out.append(std::string("}"));
  }
  out.append(std::string("\n}\n"));
  return out;
}

Result<void> give_probe_headers(HealthSettings& settings, std::string_view file) {
  using Values = std::map<std::string, std::map<std::string, std::vector<std::string>>>;
  const auto json = parse_json(std::string(file));
  const auto values = json.ok() ? decode<Values>(*json) : Result<Values>(json.error());
  // The parser's own words may hold what it read.
  if (!values.ok()) {
    return Error("release.headers", "the headers of the probes can't be read",
                 "a secret in them may hold a character that no header can hold, such as a line break");
  }
  for (auto& probe : settings.probes) {
    auto* http = std::get_if<HttpProbe>(&probe.target);
    const auto known = values->find(probe.name);
    if (http == nullptr || known == values->end()) continue;
    for (const auto& [name, pieces] : known->second) {
      std::string& value = http->headers[name];
      value.clear();
      for (const auto& piece : pieces) value += piece;
    }
  }
  return {};
}

void mask_probe_headers(HealthSettings& settings, const std::string& value) {
  for (auto& probe : settings.probes) {
    auto* http = std::get_if<HttpProbe>(&probe.target);
    if (http == nullptr) continue;
    for (auto& header : http->headers) header.second = value;
  }
}

}  // namespace sentinel
