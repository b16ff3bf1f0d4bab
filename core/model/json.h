// SPDX-License-Identifier: Apache-2.0
// JSON codecs of the model. Decoding is strict (every field present, right type) and never throws past decode():
// what comes from a file or a peer is input, and input is answered with an Error.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/model/content.h"
#include "core/model/event.h"
#include "core/model/facts.h"
#include "core/model/plan.h"
#include "core/model/release.h"
#include "core/model/request.h"
#include "core/model/resource.h"

namespace sentinel {

void to_json(nlohmann::json& json, const Position& value);
void from_json(const nlohmann::json& json, Position& value);
void to_json(nlohmann::json& json, const Error& value);
void from_json(const nlohmann::json& json, Error& value);
void to_json(nlohmann::json& json, const ContentRef& value);
void from_json(const nlohmann::json& json, ContentRef& value);
/// A body alone is {"<kind>": {fields}}.
void to_json(nlohmann::json& json, const ResourceBody& value);
void from_json(const nlohmann::json& json, ResourceBody& value);
void to_json(nlohmann::json& json, const Effect& value);
void from_json(const nlohmann::json& json, Effect& value);
void to_json(nlohmann::json& json, const Resource& value);
void from_json(const nlohmann::json& json, Resource& value);
void to_json(nlohmann::json& json, const Change& value);
void from_json(const nlohmann::json& json, Change& value);
/// {"<kind>": {fields}}
void to_json(nlohmann::json& json, const Action& value);
void from_json(const nlohmann::json& json, Action& value);
/// Undo: an array of actions, or {"irreversible": why}
void to_json(nlohmann::json& json, const Undo& value);
void from_json(const nlohmann::json& json, Undo& value);
void to_json(nlohmann::json& json, const Step& value);
void from_json(const nlohmann::json& json, Step& value);
void to_json(nlohmann::json& json, const Plan& value);
void from_json(const nlohmann::json& json, Plan& value);
void to_json(nlohmann::json& json, const Facts& value);
void from_json(const nlohmann::json& json, Facts& value);
void to_json(nlohmann::json& json, const Event& value);
void from_json(const nlohmann::json& json, Event& value);
void to_json(nlohmann::json& json, const SecretSpec& value);
void from_json(const nlohmann::json& json, SecretSpec& value);
void to_json(nlohmann::json& json, const Artefact& value);
void from_json(const nlohmann::json& json, Artefact& value);
void to_json(nlohmann::json& json, const ReleaseFile& value);
void from_json(const nlohmann::json& json, ReleaseFile& value);
void to_json(nlohmann::json& json, const ReleasePolicy& value);
void from_json(const nlohmann::json& json, ReleasePolicy& value);
void to_json(nlohmann::json& json, const Release& value);
void from_json(const nlohmann::json& json, Release& value);
void to_json(nlohmann::json& json, const ReleaseRecord& value);
void from_json(const nlohmann::json& json, ReleaseRecord& value);
void to_json(nlohmann::json& json, const AppReleases& value);
void from_json(const nlohmann::json& json, AppReleases& value);
void to_json(nlohmann::json& json, const ReleaseOrder& value);
void from_json(const nlohmann::json& json, ReleaseOrder& value);
void to_json(nlohmann::json& json, const Request& value);
void from_json(const nlohmann::json& json, Request& value);

/// Text to JSON; error `json.syntax` with the byte offset, duplicate keys refused (`json.duplicate-key`), depth bounded.
Result<nlohmann::json> parse_json(const std::string& text);

/// JSON to a value; error `json.shape` naming what is missing or of the wrong type.
template <typename T>
Result<T> decode(const nlohmann::json& json) {
  try {
    return json.get<T>();
  } catch (const nlohmann::json::exception& failure) {
    return Error("json.shape", failure.what());
  }
}

/// Compact text; invalid UTF-8 is replaced, so it never throws.
std::string to_text(const nlohmann::json& json);

}  // namespace sentinel
