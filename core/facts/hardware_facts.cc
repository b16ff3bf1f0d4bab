// SPDX-License-Identifier: Apache-2.0
// The order of questions is systemd-detect-virt's: a container inside a virtual machine is a container.
#include "core/facts/hardware_facts.h"

#include <array>
#include <charconv>
#include <string_view>

namespace sentinel {
namespace {

std::string first_line(Reader& machine, const std::string& path) {
  const auto text = machine.read_file(path).value_or({});
  return text.substr(0, text.find('\n'));
}

std::string container(Reader& machine) {
  // Written by systemd as the first process of a container.
  if (auto name = first_line(machine, "/run/systemd/container"); !name.empty()) return name;
  const auto environment = machine.read_file("/proc/1/environ").value_or({});
  constexpr std::string_view kName = "container=";
  const auto at = environment.starts_with(kName) ? 0 : environment.find('\0' + std::string(kName));
  if (at == std::string::npos) return {};
  const auto value = environment.substr(environment.find('=', at) + 1);
  return value.substr(0, value.find('\0'));
}

std::string virtualization(Reader& machine) {
  if (auto name = container(machine); !name.empty()) return name;
  const std::string dmi = "/sys/class/dmi/id/";
  auto name = virtualization_of_dmi(first_line(machine, dmi + "sys_vendor"), first_line(machine, dmi + "product_name"));
  if (!name.empty()) return name;
  if (first_line(machine, "/sys/hypervisor/type") == "xen") return "xen";
  // The flags line of the first processor is in the first kilobytes.
  const auto processor = machine.read_file("/proc/cpuinfo").value_or({});
  return processor.substr(0, processor.find("\n\n")).find(" hypervisor") != std::string::npos ? "vm-other" : "none";
}

bool can_limit_memory(Reader& machine) {
  const auto unified = machine.read_file("/sys/fs/cgroup/cgroup.controllers");
  if (unified.ok())
    return (" " + first_line(machine, "/sys/fs/cgroup/cgroup.controllers") + " ").find(" memory ") != std::string::npos;
  const auto separate = machine.status("/sys/fs/cgroup/memory");
  return separate.ok() && separate->type == FileType::kDirectory;
}

}  // namespace

std::uint32_t count_of_list(const std::string& list) {
  std::uint32_t count = 0;
  const char* at = list.data();
  const char* end = list.data() + list.size();
  while (at < end) {
    std::uint32_t first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc{}) return count;
    std::uint32_t last = first;
    if (parsed.ptr < end && *parsed.ptr == '-') parsed = std::from_chars(parsed.ptr + 1, end, last);
    if (parsed.ec != std::errc{} || last < first) return count;
    count += last - first + 1;
    if (parsed.ptr >= end || *parsed.ptr != ',') return count;
    at = parsed.ptr + 1;
  }
  return count;
}

std::uint64_t memory_of_meminfo(const std::string& meminfo) {
  constexpr std::string_view kKey = "MemTotal:";
  auto at = meminfo.find(kKey);
  if (at == std::string::npos) return 0;
  at = meminfo.find_first_not_of(' ', at + kKey.size());
  if (at == std::string::npos) return 0;
  std::uint64_t kilobytes = 0;
  std::from_chars(meminfo.data() + at, meminfo.data() + meminfo.size(), kilobytes);
  return kilobytes / 1024;
}

std::string virtualization_of_dmi(const std::string& vendor, const std::string& product) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kVendors{{
      {"KVM", "kvm"},
      {"QEMU", "qemu"},
      {"Red Hat", "kvm"},
      {"OpenStack Foundation", "kvm"},
      {"Hetzner", "kvm"},
      {"DigitalOcean", "kvm"},
      {"Scaleway", "kvm"},
      {"Vultr", "kvm"},
      {"Amazon EC2", "amazon"},
      {"Google", "google"},
      {"VMware", "vmware"},
      {"innotek GmbH", "oracle"},
      {"Xen", "xen"},
      {"Parallels", "parallels"},
  }};
  // Real servers carry some of these vendors' names, too.
  if (product.starts_with("KVM") || vendor == "QEMU") return "kvm";
  if (vendor == "Microsoft Corporation") return product == "Virtual Machine" ? "microsoft" : "";
  for (const auto& [prefix, name] : kVendors) {
    if (vendor.starts_with(prefix)) return std::string(name);
  }
  return {};
}

void collect_hardware(Reader& machine, Facts& facts) {
  facts.virtualization = virtualization(machine);
  facts.cpus = count_of_list(first_line(machine, "/sys/devices/system/cpu/online"));
  facts.memory_mb = memory_of_meminfo(machine.read_file("/proc/meminfo").value_or({}));
  facts.can_limit_memory = can_limit_memory(machine);
}

}  // namespace sentinel
