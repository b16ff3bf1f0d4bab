// SPDX-License-Identifier: Apache-2.0
// Processors, memory, what the machine runs in, and whether memory can be limited.
#pragma once

#include <cstdint>
#include <string>

#include "core/model/facts.h"
#include "core/system/reader.h"

namespace sentinel {

/// virtualization, cpus, memory_mb, can_limit_memory.
void collect_hardware(Reader& machine, Facts& facts);

/// A kernel's list such as "0-3,8": how many it names.
std::uint32_t count_of_list(const std::string& list);
/// MemTotal of /proc/meminfo in MiB; 0 when it isn't there.
std::uint64_t memory_of_meminfo(const std::string& meminfo);
/// The word systemd-detect-virt(1) has for a machine with these DMI strings; empty when they say nothing.
std::string virtualization_of_dmi(const std::string& vendor, const std::string& product);

}  // namespace sentinel
