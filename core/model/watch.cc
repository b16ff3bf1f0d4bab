// SPDX-License-Identifier: Apache-2.0
// Codecs of the watch's settings; docs/formats/health.md describes them.
#include "core/model/watch.h"

#include "core/model/json_fields.h"

namespace sentinel {

SENTINEL_JSON_FIELDS(Webhook, url, secret_file, ca_file)
SENTINEL_JSON_FIELDS(WatchSettings, app, port, probes, webhooks, rollback_window_ms, start_period_ms)

}  // namespace sentinel
