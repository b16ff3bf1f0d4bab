// SPDX-License-Identifier: Apache-2.0
// libssh's own order of trying everything it can find is not used: every refused key counts at the host.
#include "core/transport/login.h"

#include <fmt/format.h>

namespace sentinel {

namespace {

constexpr int kPassphraseTries = 3;

/// What became of one key.
enum class Outcome { kAccepted, kRefused, kUnusable };

int hand_over_passphrase(const char*, char* buffer, std::size_t size, int, int, void* secret) {
  const std::string& passphrase = static_cast<const Secret*>(secret)->reveal();
  if (passphrase.empty() || passphrase.size() >= size) return -1;
  passphrase.copy(buffer, passphrase.size());
  buffer[passphrase.size()] = '\0';
  return 0;
}

class Login {
 public:
  Login(SshSession::State& state, Patience& patience) : state_(state), patience_(patience) {}

  Result<void> run(const Credentials& credentials) {
    if (credentials.agent.valid()) {
      Descriptor copy(::dup(credentials.agent.get()));
      SENTINEL_TRY(agent_, AgentStandIn::start(std::move(copy), patience_.remaining(), patience_.interrupt_fd()));
      // libssh closes it with the session.
      if (ssh_set_agent_socket(state_.session, agent_->take_socket().release()) != SSH_OK) agent_.reset();
    }
    for (const Credential& credential : credentials.keys) {
      current_ = credential.describe();
      SENTINEL_TRY(const Outcome outcome, offer(credential));
      if (outcome == Outcome::kAccepted) {
        state_.login_key = current_;
        if (credential.public_key)
          state_.login_public_key = credential.public_key->type + " " + credential.public_key->base64;
        return {};
      }
      offered_.push_back(current_ + (outcome == Outcome::kUnusable ? ", which could not sign" : ""));
    }
    return refused("");
  }

 private:
  Result<Outcome> offer(const Credential& credential) {
    if (credential.agent_key) {
      if (agent_ == nullptr) return Outcome::kUnusable;
      agent_->show(*credential.agent_key);
      return judge(
          repeat(state_, patience_, SSH_AUTH_AGAIN, [this] { return ssh_userauth_agent(state_.session, nullptr); }));
    }
    if (!credential.encrypted) return sign(credential, Secret());
    return unlock(credential);
  }

  /// Shows the public key first, so that nobody is asked for the passphrase of a key the host doesn't take.
  Result<Outcome> unlock(const Credential& credential) {
    if (credential.public_key) {
      ssh_key key = nullptr;
      const auto type = ssh_key_type_from_name(credential.public_key->type.c_str());
      if (ssh_pki_import_pubkey_base64(credential.public_key->base64.c_str(), type, &key) == SSH_OK) {
        auto shown = judge(repeat(state_, patience_, SSH_AUTH_AGAIN,
                                  [&] { return ssh_userauth_try_publickey(state_.session, nullptr, key); }));
        ssh_key_free(key);
        if (!shown.ok() || *shown != Outcome::kAccepted) return shown;
      }
    }
    for (int i = 0; i < kPassphraseTries; ++i) {
      const auto before = std::chrono::steady_clock::now();
      SENTINEL_TRY(const Secret passphrase, state_.options.ask_passphrase(credential.file));
      patience_.extend(std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before));
      if (passphrase.empty()) break;
      SENTINEL_TRY(const Outcome outcome, sign(credential, passphrase));
      if (outcome != Outcome::kUnusable) return outcome;
    }
    return Outcome::kUnusable;
  }

  /// kUnusable for a passphrase that doesn't fit.
  Result<Outcome> sign(const Credential& credential, const Secret& passphrase) {
    ssh_key key = nullptr;
    // Only the callback: given a null passphrase and no callback, OpenSSL would ask on the terminal by itself.
    void* secret = const_cast<Secret*>(&passphrase);  // NOLINT: the callback's type wants it so
    if (ssh_pki_import_privkey_base64(credential.private_key.reveal().c_str(), nullptr, hand_over_passphrase, secret,
                                      &key) != SSH_OK) {
      return Outcome::kUnusable;
    }
    auto outcome = judge(repeat(state_, patience_, SSH_AUTH_AGAIN,
                                [&] { return ssh_userauth_publickey(state_.session, nullptr, key); }));
    ssh_key_free(key);
    return outcome;
  }

  Result<Outcome> judge(Result<int> status) {
    if (!status.ok() && status.error().code == "ssh.connection-lost") return hung_up();
    if (!status.ok()) return std::move(status).error();
    if (*status == SSH_AUTH_SUCCESS) return Outcome::kAccepted;
    if (*status == SSH_AUTH_DENIED) return Outcome::kRefused;
    if (*status == SSH_AUTH_PARTIAL) {
      return unreachable("ssh.auth-more",
                         fmt::format("{} accepts the key but wants more: {}", display(state_.target), methods()),
                         "sentinel logs in by public key alone; set AuthenticationMethods to publickey for this user");
    }
    if (ssh_is_connected(state_.session) != 0) {
      // A signature that didn't come about: the agent refused, a token was not touched, or we are being interrupted.
      std::vector<pollfd> nothing;
      if (patience_.wait(nothing, std::chrono::milliseconds::zero()) == Patience::Woken::kInterrupted)
        return interrupted();
      return Outcome::kUnusable;
    }
    return hung_up();
  }

  /// A host that says goodbye in the middle of a login has had enough attempts; one that just vanishes is a lost
  /// connection.
  Error hung_up() {
    const std::string why = state_.reason();
    if (std::string(ssh_get_error(state_.session)).find("SSH_MSG_DISCONNECT") == std::string::npos)
      return state_.lost(why);
    offered_.push_back(current_);
    return refused(fmt::format("; then it ended the connection: {}", why));
  }

  std::string methods() const {
    const int bits = ssh_userauth_list(state_.session, nullptr);
    std::string names;
    const auto add = [&](unsigned int bit, const char* name) {
      if ((static_cast<unsigned int>(bits) & bit) != 0) names += (names.empty() ? "" : ", ") + std::string(name);
    };
    add(SSH_AUTH_METHOD_PUBLICKEY, "public key");
    add(SSH_AUTH_METHOD_PASSWORD, "password");
    add(SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive");
    add(SSH_AUTH_METHOD_HOSTBASED, "host-based");
    add(SSH_AUTH_METHOD_GSSAPI_MIC, "GSSAPI");
    return names.empty() ? "nothing it names" : names;
  }

  Error refused(const std::string& ending) const {
    return unreachable(
        "ssh.auth-refused",
        fmt::format("{} refuses user '{}' with {}{}", state_.target.address, state_.target.user,
                    fmt::join(offered_, "; "), ending),
        fmt::format("check the user, and that ~{}/.ssh/authorized_keys on the host has one of these keys",
                    state_.target.user));
  }

  SshSession::State& state_;
  Patience& patience_;
  std::unique_ptr<AgentStandIn> agent_;
  std::string current_;
  std::vector<std::string> offered_;
};

}  // namespace

Result<void> log_in(SshSession::State& state, const Credentials& credentials, Patience& patience) {
  return Login(state, patience).run(credentials);
}

}  // namespace sentinel
