// SPDX-License-Identifier: Apache-2.0
// Reading is forgiving, since people edit these files; writing adds exactly one line.
#include "core/transport/known_hosts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>

#include "core/base/descriptor.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/transport/pattern.h"

namespace sentinel {

namespace {

constexpr std::string_view kHashMark = "|1|";

/// "|1|base64 salt|base64 HMAC-SHA1(salt, name)"
bool hashed_name_matches(std::string_view field, const std::string& name) {
  const std::size_t bar = field.find('|', kHashMark.size());
  if (bar == std::string_view::npos) return false;
  const auto salt = base64_decode(field.substr(kHashMark.size(), bar - kHashMark.size()));
  const auto wanted = base64_decode(field.substr(bar + 1));
  if (!salt || !wanted) return false;
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());  // NOLINT: bytes for libcrypto
  HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()), bytes, name.size(), mac, &length);
  return *wanted == std::string(mac, mac + length);
}

std::string_view take_word(std::string_view& rest) {
  const std::size_t start = std::min(rest.find_first_not_of(" \t"), rest.size());
  rest.remove_prefix(start);
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

std::optional<KnownHostLine> parse_line(std::string_view line, const std::string& name) {
  std::string_view rest = line;
  std::string_view names = take_word(rest);
  if (names.empty() || names.front() == '#') return std::nullopt;
  KnownHostLine entry;
  if (names.front() == '@') {
    if (names != "@revoked") return std::nullopt;
    entry.revoked = true;
    names = take_word(rest);
  }
  const bool matches = names.substr(0, kHashMark.size()) == kHashMark ? hashed_name_matches(names, name)
                                                                      : pattern_list_matches(names, ',', name);
  if (!matches) return std::nullopt;
  entry.key.type = std::string(take_word(rest));
  entry.key.base64 = std::string(take_word(rest));
  if (entry.key.fingerprint().empty()) return std::nullopt;
  return entry;
}

}  // namespace

std::string KnownHostLine::place() const {
  return fmt::format("{}:{}", file, line);
}

std::string known_hosts_name(const std::string& address, std::uint16_t port) {
  std::string name = address;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  return port == 22 ? name : fmt::format("[{}]:{}", name, port);
}

Result<std::vector<KnownHostLine>> find_known_host(const std::vector<std::string>& files, const std::string& name) {
  std::vector<KnownHostLine> found;
  for (const std::string& file : files) {
    const auto text = read_whole_file(file);
    if (!text.ok()) {
      if (text.error().code == "system.ENOENT" || text.error().code == "system.ENOTDIR") continue;
      return Error(text.error()).exits(ExitCode::kUnreachable).during("looking for the host's key");
    }
    std::string_view rest = *text;
    for (int number = 1; !rest.empty(); ++number) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (auto entry = parse_line(line, name)) {
        entry->file = file;
        entry->line = number;
        found.push_back(std::move(*entry));
      }
    }
  }
  return found;
}

Result<void> append_known_host(const std::string& file, const std::string& name, const HostKey& key) {
  SENTINEL_CHECK(make_directories(parent_directory(file), 0700));
  Descriptor output(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!output.valid()) return system_error(errno, "open", file);
  // Locked, so that a line without an end is seen and completed by one writer only.
  if (::flock(output.get(), LOCK_EX) != 0) return system_error(errno, "lock", file);

  struct stat status {};

  if (::fstat(output.get(), &status) != 0) return system_error(errno, "stat", file);
  char last = '\n';
  if (status.st_size > 0 && ::pread(output.get(), &last, 1, status.st_size - 1) != 1)
    return system_error(errno, "read", file);

  const std::string line = fmt::format("{}{} {} {}\n", last == '\n' ? "" : "\n", name, key.type, key.base64);
  const ssize_t written = ::write(output.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) return system_error(written < 0 ? errno : ENOSPC, "write", file);
  if (::fsync(output.get()) != 0) return system_error(errno, "sync", file);
  return sync_directory(parent_directory(file));
}

}  // namespace sentinel
