// SPDX-License-Identifier: Apache-2.0
// The rules in order: a revoked key never; a pin decides alone; a known key is fine; a host with other keys on record
// is refused, never asked about; only a host nobody knows is a question.
#include "core/transport/host_key.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>

#include "core/base/digest.h"
#include "core/transport/known_hosts.h"
#include "core/transport/patience.h"

namespace sentinel {

namespace {

/// Key types in the order OpenSSH prefers them, with the algorithms that use them.
struct KeyAlgorithms {
  const char* type;
  const char* algorithms;
};

constexpr KeyAlgorithms kAlgorithms[] = {
    {"ssh-ed25519", "ssh-ed25519"},
    {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
    {"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
    {"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
    {"ssh-rsa", "rsa-sha2-512,rsa-sha2-256"},
};

std::string name_of(const SshTarget& target) {
  return known_hosts_name(target.host_key_alias.empty() ? target.address : target.host_key_alias,
                          target.host_key_alias.empty() ? target.port : 22);
}

/// Lines for the host, and where its port isn't 22 also those for its bare name: they can vouch for a key, not
/// contradict it.
struct Lines {
  std::vector<KnownHostLine> own;
  std::vector<KnownHostLine> bare;
};

Result<Lines> lines_for(const SshTarget& target) {
  Lines lines;
  SENTINEL_TRY(lines.own, find_known_host(target.known_hosts_files, name_of(target)));
  if (target.port != 22 && target.host_key_alias.empty()) {
    SENTINEL_TRY(lines.bare, find_known_host(target.known_hosts_files, known_hosts_name(target.address, 22)));
  }
  return lines;
}

std::string with_fingerprint(const HostKey& key) {
  return fmt::format("{} {}", key.type, key.fingerprint());
}

Error changed(const SshTarget& target, const HostKey& offered, const std::string& known_as, const std::string& hint) {
  return unreachable("ssh.host-key-changed",
                     fmt::format("the host key of {} is not the known one: it offers {}, known is {}", display(target),
                                 with_fingerprint(offered), known_as),
                     hint);
}

const KnownHostLine* find_line(const std::vector<KnownHostLine>& lines, const HostKey& key, bool revoked) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const KnownHostLine& line) {
    return line.revoked == revoked && line.key == key;
  });
  return found == lines.end() ? nullptr : &*found;
}

Result<HostKeyDecision> judge_unknown(const SshTarget& target, const HostKey& offered, const HostKeyPolicy& policy) {
  const std::string file = target.known_hosts_files.empty() ? std::string() : target.known_hosts_files.front();
  bool accepted = policy.accept_new;
  if (!accepted && policy.ask) {
    SENTINEL_TRY(accepted, policy.ask({name_of(target), offered, file}));
  }
  if (!accepted) {
    return unreachable(
        "ssh.host-key-unknown",
        fmt::format("the host key of {} is not known: it offers {}", display(target), with_fingerprint(offered)),
        "compare the fingerprint with one from the host's console, then pin it with `host_key`, or run once "
        "with --accept-new-host-key");
  }
  if (!file.empty()) {
    if (auto stored = append_known_host(file, name_of(target), offered); !stored.ok()) {
      return std::move(stored).error().during("remembering the host's key");
    }
  }
  return HostKeyDecision{HostKeyDecision::Reason::kAcceptedNew, offered, file};
}

}  // namespace

std::string HostKey::fingerprint() const {
  const auto blob = base64_decode(base64);
  if (!blob || blob->empty()) return {};
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(blob->data()), blob->size(), digest);  // NOLINT: bytes for libcrypto
  std::string text = base64_encode(std::string(digest, digest + sizeof digest));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return "SHA256:" + text;
}

Result<HostKey> HostKey::parse(const std::string& text) {
  const std::size_t space = text.find(' ');
  HostKey key{text.substr(0, space), space == std::string::npos ? std::string() : text.substr(space + 1)};
  key.base64 = key.base64.substr(0, key.base64.find(' '));
  const bool known_type = std::any_of(std::begin(kAlgorithms), std::end(kAlgorithms),
                                      [&](const KeyAlgorithms& one) { return key.type == one.type; });
  if (known_type && !key.fingerprint().empty()) return key;
  return Error("ssh.host-key-pin", fmt::format("'{}' is not a host key", text),
               "write it as ssh-keyscan prints it, without the host's name: ssh-ed25519 AAAA…", ExitCode::kUsage);
}

Result<HostKeyDecision> judge_host_key(const SshTarget& target, const HostKey& offered, const HostKeyPolicy& policy) {
  SENTINEL_TRY(const Lines lines, lines_for(target));
  for (const auto* list : {&lines.own, &lines.bare}) {
    if (const KnownHostLine* line = find_line(*list, offered, true)) {
      return unreachable("ssh.host-key-revoked",
                         fmt::format("the host key of {} ({}) is revoked by {}", display(target),
                                     with_fingerprint(offered), line->place()),
                         "do not connect; ask who revoked the key and why");
    }
  }
  if (!target.host_key_pin.empty()) {
    SENTINEL_TRY(const HostKey pin, HostKey::parse(target.host_key_pin));
    if (pin == offered) return HostKeyDecision{HostKeyDecision::Reason::kPinned, offered, {}};
    return changed(
        target, offered, fmt::format("{} (pinned)", with_fingerprint(pin)),
        "if the host was rebuilt on purpose, update `host_key` in the project; otherwise someone may be in between");
  }
  if (const KnownHostLine* line = find_line(lines.own, offered, false)) {
    return HostKeyDecision{HostKeyDecision::Reason::kKnown, offered, line->place()};
  }
  const KnownHostLine* other = nullptr;
  for (const KnownHostLine& line : lines.own) {
    if (line.revoked) continue;
    if (other == nullptr || (other->key.type != offered.type && line.key.type == offered.type)) other = &line;
  }
  if (other != nullptr) {
    return changed(
        target, offered, fmt::format("{} ({})", with_fingerprint(other->key), other->place()),
        fmt::format("if the host was rebuilt on purpose, remove the old key: ssh-keygen -R '{}' -f {}; otherwise "
                    "someone may be in between",
                    name_of(target), other->file));
  }
  if (const KnownHostLine* line = find_line(lines.bare, offered, false)) {
    return HostKeyDecision{HostKeyDecision::Reason::kKnown, offered, line->place()};
  }
  return judge_unknown(target, offered, policy);
}

std::string preferred_host_key_algorithms(const SshTarget& target) {
  std::vector<std::string> known_types;
  if (!target.host_key_pin.empty()) {
    if (const auto pin = HostKey::parse(target.host_key_pin); pin.ok()) known_types.push_back(pin->type);
  } else if (const auto lines = lines_for(target); lines.ok()) {
    for (const auto* list : {&lines->own, &lines->bare}) {
      for (const KnownHostLine& line : *list) {
        if (!line.revoked) known_types.push_back(line.key.type);
      }
    }
  }
  std::string known;
  std::string rest;
  for (const KeyAlgorithms& one : kAlgorithms) {
    const bool is_known = std::find(known_types.begin(), known_types.end(), one.type) != known_types.end();
    std::string& list = is_known ? known : rest;
    list += (list.empty() ? "" : ",") + std::string(one.algorithms);
  }
  if (known.empty()) return rest;
  return rest.empty() ? known : known + "," + rest;
}

}  // namespace sentinel
