// SPDX-License-Identifier: Apache-2.0
// TLS towards upstreams: verified always, by the system's certificates or a given file; server name, host check,
// session reuse, http/1.1 by ALPN. The bytes go through the descriptor of a Stream, which does the waiting.
#pragma once

#include <sys/uio.h>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "core/base/result.h"
#include "proxy/net/io_result.h"
#include "proxy/net/url.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace sentinel::proxy {

/// Whom to trust, and sessions to resume. One per process; any thread.
class TlsTrust {
 public:
  /// `ca_file` empty: the first bundle found among the places where Debian and others keep it (or $SSL_CERT_FILE, given
  /// by the caller). Errors `proxy.trust`.
  static Result<std::shared_ptr<TlsTrust>> load(const std::string& ca_file);
  ~TlsTrust();
  TlsTrust(const TlsTrust&) = delete;
  TlsTrust& operator=(const TlsTrust&) = delete;

 private:
  friend class TlsConnection;
  using Session = std::unique_ptr<ssl_session_st, void (*)(ssl_session_st*)>;

  explicit TlsTrust(ssl_ctx_st* context);
  /// Takes the session over.
  void keep(const std::string& origin, ssl_session_st* session);
  Session session_for(const std::string& origin);

  ssl_ctx_st* context_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Session>> sessions_;
};

/// One connection's TLS state, on a connected, non-blocking descriptor that outlives it.
class TlsConnection {
 public:
  /// What the connection needs to go on.
  enum class Wants { kNothing, kRead, kWrite };

  TlsConnection(std::shared_ptr<TlsTrust> trust, const Origin& origin, int descriptor);
  /// Says goodbye in order, without waiting for an answer.
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  /// kDone: the peer is who it should be. kAgain: wait for wants(), then call again. kFailed: see failure().
  IoStatus handshake();
  IoResult read(std::span<char> room);
  /// After kAgain the same bytes must be offered first, at whatever address.
  IoResult write(std::span<const iovec> pieces);

  /// After kAgain: what for.
  Wants wants() const { return wants_; }

  bool resumed() const;

  /// Why the handshake failed: "certificate has expired", "hostname mismatch", …
  const std::string& failure() const { return failure_; }

 private:
  friend class TlsTrust;
  IoStatus outcome(int result);

  std::shared_ptr<TlsTrust> trust_;
  std::string origin_;
  ssl_st* ssl_;
  Wants wants_ = Wants::kNothing;
  std::string failure_;
};

}  // namespace sentinel::proxy
