// SPDX-License-Identifier: Apache-2.0
// A rendered and checked resource of a playbook -> the model's resource. Kinds of playbooks that are files with a
// meaning (sudoers, caddyfile, ...) become File here.
#pragma once

#include <optional>
#include <string>

#include "core/config/diagnostics.h"
#include "core/config/yaml.h"
#include "core/model/resource.h"

namespace sentinel {

/// The value of a resource's first field as people call it: "/etc/motd", "caddy, curl"; empty for the firewall.
std::string primary_text(const std::string& kind, const Node& body);

/// The path a kind's file will have; empty for kinds that aren't files.
std::string file_path(const std::string& kind, const Node& body);

/// The body was checked against the kind's schema and has its defaults; `content` is what its content field rendered
/// to. Nothing when a rule that no schema can express is broken.
std::optional<ResourceBody> build_resource(const std::string& kind, const Node& body, const ContentRef& content,
                                           Diagnostics& diagnostics);

}  // namespace sentinel
