// SPDX-License-Identifier: Apache-2.0
// A key file is only offered when it could be used; a public key is enough where the agent has the private one.
#include "core/transport/credentials.h"

#include <fmt/format.h>
#include <libssh/libssh.h>

#include <algorithm>
#include <set>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel {

namespace {

constexpr std::size_t kMostKeyBytes = 1U << 20;

/// libssh asks for a passphrase through this; being asked is all we want to know.
int note_passphrase(const char*, char*, std::size_t, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

HostKey key_of_blob(const std::string& blob) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4 && i < blob.size(); ++i) length = length << 8U | static_cast<unsigned char>(blob[i]);
  return {blob.size() >= 4 ? blob.substr(4, length) : std::string(), base64_encode(blob)};
}

std::optional<HostKey> exported(ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return std::nullopt;
  const auto blob = base64_decode(base64);
  ssh_string_free_char(base64);
  if (!blob) return std::nullopt;
  return key_of_blob(*blob);
}

std::optional<HostKey> public_key_in(const std::string& path) {
  ssh_key key = nullptr;
  if (ssh_pki_import_pubkey_file(path.c_str(), &key) != SSH_OK) return std::nullopt;
  auto found = exported(key);
  ssh_key_free(key);
  return found;
}

/// What a file named as an identity turned out to be.
struct KeyFile {
  Credential credential;
  bool has_private = false;
};

/// Nothing, with a note, for a file that is missing or not a key.
std::optional<KeyFile> load(const std::string& path, std::vector<std::string>& notes) {
  auto text = read_whole_file(path, kMostKeyBytes);
  std::optional<HostKey> public_key = public_key_in(path + ".pub");
  if (!text.ok() && !public_key) {
    notes.push_back(fmt::format("{} ({})", path, text.error().code == "system.ENOENT" ? "missing" : "can't be read"));
    return std::nullopt;
  }
  KeyFile loaded;
  loaded.credential.file = path;
  if (auto inside = public_key_in(path)) public_key = inside;
  if (text.ok()) {
    ssh_key key = nullptr;
    bool asked = false;
    const int status = ssh_pki_import_privkey_base64(text->c_str(), nullptr, note_passphrase, &asked, &key);
    loaded.has_private = status == SSH_OK || asked;
    loaded.credential.encrypted = asked;
    if (status == SSH_OK && !public_key) public_key = exported(key);
    ssh_key_free(key);
    if (loaded.has_private) loaded.credential.private_key = Secret(std::move(*text));
  }
  loaded.credential.public_key = public_key;
  if (!loaded.has_private && !public_key) {
    notes.push_back(fmt::format("{} (not an SSH key)", path));
    return std::nullopt;
  }
  return loaded;
}

/// The agent's keys; a note when it can't be asked.
Result<std::vector<AgentKey>> agent_keys(const SshTarget& target, Descriptor& agent, std::vector<std::string>& notes,
                                         Patience& patience) {
  if (target.agent_socket.empty()) {
    notes.emplace_back("no ssh agent");
    return std::vector<AgentKey>();
  }
  auto connected = connect_agent(target.agent_socket);
  Result<std::vector<AgentKey>> keys = std::vector<AgentKey>();
  if (connected.ok()) {
    agent = std::move(*connected);
    keys = list_agent_keys(agent, patience);
  }
  if (!keys.ok() && keys.error().code == "ssh.interrupted") return keys;
  if (!connected.ok() || !keys.ok()) {
    notes.push_back(connected.ok() ? keys.error().message : connected.error().message);
    agent.close();
    return std::vector<AgentKey>();
  }
  if (keys->empty()) notes.emplace_back("an ssh agent without keys");
  return keys;
}

std::string joined(const std::vector<std::string>& notes) {
  return fmt::format("{}", fmt::join(notes, ", "));
}

}  // namespace

std::string Credential::describe() const {
  const std::string what = public_key ? fmt::format("{} {}", public_key->type, public_key->fingerprint()) : "a key";
  if (agent_key) return fmt::format("{} (agent: {})", what, agent_key->comment);
  return fmt::format("{} ({})", what, file);
}

Result<Credentials> gather_credentials(const SshTarget& target, bool can_ask, Patience& patience) {
  Credentials all;
  std::vector<std::string> notes;
  std::string encrypted;
  SENTINEL_TRY(const auto in_agent, agent_keys(target, all.agent, notes, patience));

  std::vector<Credential> from_agent;
  std::vector<Credential> from_files;
  std::set<std::string> seen;
  for (const std::string& path : target.identities) {
    auto loaded = load(path, notes);
    if (!loaded) continue;
    Credential& credential = loaded->credential;
    if (credential.public_key && !seen.insert(credential.public_key->base64).second) continue;
    const auto held = std::find_if(in_agent.begin(), in_agent.end(), [&](const AgentKey& key) {
      return credential.public_key && base64_encode(key.blob) == credential.public_key->base64;
    });
    if (held != in_agent.end()) {
      credential.agent_key = *held;
      from_agent.push_back(std::move(credential));
    } else if (!loaded->has_private) {
      notes.push_back(fmt::format("{} (only the public key, and the agent doesn't have the private one)", path));
    } else if (credential.encrypted && !can_ask) {
      encrypted = path;
    } else {
      from_files.push_back(std::move(credential));
    }
  }
  all.keys = std::move(from_agent);
  if (!target.identities_only) {
    for (const AgentKey& key : in_agent) {
      HostKey public_key = key_of_blob(key.blob);
      if (!seen.insert(public_key.base64).second) continue;
      Credential credential;
      credential.agent_key = key;
      credential.public_key = std::move(public_key);
      all.keys.push_back(std::move(credential));
    }
  }
  std::move(from_files.begin(), from_files.end(), std::back_inserter(all.keys));

  if (!all.keys.empty()) return all;
  if (!encrypted.empty()) {
    return unreachable("ssh.key-encrypted",
                       fmt::format("{} needs a passphrase, and there is no terminal to ask on", encrypted),
                       fmt::format("load it into the ssh agent: ssh-add {}", encrypted));
  }
  return unreachable("ssh.no-key",
                     fmt::format("no SSH key to log in to {} with; looked at: {}", display(target), joined(notes)),
                     "name a private key with `identity`, or start an ssh agent and `ssh-add` one");
}

}  // namespace sentinel
