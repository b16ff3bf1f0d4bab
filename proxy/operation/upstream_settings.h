// SPDX-License-Identifier: Apache-2.0
// The settings of upstreams and models:
//
//   SENTINEL_UPSTREAMS:
//     - {name: first, url: "https://api.openai.com/v1", key_env: OPENAI_API_KEY}
//     - {name: second, url: "https://other.example/v1", key_file: /etc/sentinel/second.key, connect_seconds: 3}
//   SENTINEL_MODELS:
//     gpt-4o: [{upstream: first, weight: 3}, {upstream: second, weight: 1}]
//     fast: [{upstream: second, model: small-1}]
//     "*": [{upstream: first}]
//
// Without SENTINEL_UPSTREAMS there is one, of OPENAI_API_URL and OPENAI_API_KEY. Without SENTINEL_MODELS every model is
// passed on; a list of names instead of a mapping allows those.
#pragma once

#include "proxy/operation/settings_reader.h"
#include "proxy/upstreams/upstream_directory.h"

namespace sentinel::proxy {

struct UpstreamSettings {
  std::vector<UpstreamTarget> upstreams;
  UpstreamDirectory::Offers offers;
  UpstreamRules rules;
};

/// `times` hold for upstreams that don't say others. What is wrong is told to the reader.
UpstreamSettings read_upstream_settings(SettingsReader& reader, const Environment& environment, ClientTimes times);

std::shared_ptr<const UpstreamDirectory> make_directory(const UpstreamSettings& settings);

}  // namespace sentinel::proxy
