// SPDX-License-Identifier: Apache-2.0
// OpenSSL's error queue belongs to the thread: it is emptied before each call whose outcome is looked at.
#include "proxy/net/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

namespace sentinel::proxy {
namespace {

constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",  // Debian and what comes of it
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};
constexpr unsigned char kHttp11[] = "\x08http/1.1";
constexpr std::size_t kMostSessions = 8;    // per origin; servers give two tickets a connection
constexpr std::size_t kRecord = 16 * 1024;  // the most plaintext of one record

Error no_trust(const std::string& what, const std::string& hint) {
  return Error("proxy.trust", what, hint, ExitCode::kUsage);
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

Result<std::shared_ptr<TlsTrust>> TlsTrust::load(const std::string& ca_file) {
  std::string file = ca_file;
  for (const char* bundle : kBundles) {
    if (file.empty() && ::access(bundle, R_OK) == 0) file = bundle;
  }
  if (file.empty()) {
    return no_trust("no bundle of certificate authorities was found",
                    "install ca-certificates, or name a file in SENTINEL_CA_FILE");
  }
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return no_trust("TLS can't be set up", {});
  std::shared_ptr<TlsTrust> trust(new TlsTrust(context));
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    return no_trust(fmt::format("no certificates can be read from {}", file), "it must be a file in PEM format");
  }
  return trust;
}

TlsTrust::TlsTrust(ssl_ctx_st* context) : context_(context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, kHttp11, sizeof kHttp11 - 1);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    const auto* connection = static_cast<const TlsConnection*>(SSL_get_app_data(ssl));
    // A copy: OpenSSL marks the connection's own as not resumable when the peer ends without a goodbye.
    connection->trust_->keep(connection->origin_, SSL_SESSION_dup(session));
    return 0;
  });
}

TlsTrust::~TlsTrust() {
  SSL_CTX_free(context_);
}

void TlsTrust::keep(const std::string& origin, ssl_session_st* session) {
  if (session == nullptr) return;
  const std::lock_guard lock(mutex_);
  std::deque<Session>& kept = sessions_[origin];
  kept.emplace_back(session, &SSL_SESSION_free);
  if (kept.size() > kMostSessions) kept.pop_front();
}

TlsTrust::Session TlsTrust::session_for(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(origin);
  if (found == sessions_.end() || found->second.empty()) return {nullptr, &SSL_SESSION_free};
  Session& newest = found->second.back();
  if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(newest.get());
    return {newest.get(), &SSL_SESSION_free};
  }
  // A ticket of TLS 1.3 is for one use: twice would let an observer link the connections.
  Session taken = std::move(newest);
  found->second.pop_back();
  return taken;
}

TlsConnection::TlsConnection(std::shared_ptr<TlsTrust> trust, const Origin& origin, int descriptor)
    : trust_(std::move(trust)), origin_(origin.text()), ssl_(SSL_new(trust_->context_)) {
  if (ssl_ == nullptr) std::abort();  // out of memory
  SSL_set_app_data(ssl_, this);
  SSL_set_fd(ssl_, descriptor);
  SSL_set_connect_state(ssl_);
  if (is_address(origin.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), origin.host.c_str());
  } else {
    SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl_, origin.host.c_str());
    SSL_set_tlsext_host_name(ssl_, origin.host.c_str());
  }
  const TlsTrust::Session session = trust_->session_for(origin_);
  if (session != nullptr) SSL_set_session(ssl_, session.get());
}

TlsConnection::~TlsConnection() {
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
  SSL_free(ssl_);
}

bool TlsConnection::resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

IoStatus TlsConnection::outcome(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_NONE: return IoStatus::kDone;
    case SSL_ERROR_WANT_READ: wants_ = Wants::kRead; return IoStatus::kAgain;
    case SSL_ERROR_WANT_WRITE: wants_ = Wants::kWrite; return IoStatus::kAgain;
    case SSL_ERROR_ZERO_RETURN: return IoStatus::kEnd;
    default: return IoStatus::kFailed;
  }
}

IoStatus TlsConnection::handshake() {
  ERR_clear_error();
  const IoStatus status = outcome(SSL_do_handshake(ssl_));
  if (status == IoStatus::kDone || status == IoStatus::kAgain) return status;
  const long verified = SSL_get_verify_result(ssl_);
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  if (verified != X509_V_OK) {
    failure_ = X509_verify_cert_error_string(verified);
  } else {
    failure_ = reason != nullptr ? reason : "the peer closed the connection";
  }
  return IoStatus::kFailed;
}

IoResult TlsConnection::read(std::span<char> room) {
  ERR_clear_error();
  const int got = SSL_read(ssl_, room.data(), static_cast<int>(std::min<std::size_t>(room.size(), INT_MAX)));
  const IoStatus status = outcome(got);
  return {status, status == IoStatus::kDone ? static_cast<std::size_t>(got) : 0};
}

IoResult TlsConnection::write(std::span<const iovec> pieces) {
  // Small pieces share a record: the head of a request and its body are usually one.
  char joined[kRecord];
  std::size_t size = 0;
  for (const iovec& piece : pieces) {
    const std::size_t count = std::min(piece.iov_len, kRecord - size);
    memcpy(joined + size, piece.iov_base, count);
    size += count;
    if (size == kRecord) break;
  }
  ERR_clear_error();
  const int sent = SSL_write(ssl_, joined, static_cast<int>(size));
  const IoStatus status = outcome(sent);
  return {status, status == IoStatus::kDone ? static_cast<std::size_t>(sent) : 0};
}

}  // namespace sentinel::proxy
