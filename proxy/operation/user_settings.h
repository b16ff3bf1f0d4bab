// SPDX-License-Identifier: Apache-2.0
// The settings about users: who they are, how much they may, where use is reported to, and Redis.
#pragma once

#include "proxy/operation/settings.h"
#include "proxy/operation/settings_reader.h"

namespace sentinel::proxy {

void read_user_settings(SettingsReader& reader, Settings& settings);

}  // namespace sentinel::proxy
