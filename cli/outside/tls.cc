// SPDX-License-Identifier: Apache-2.0
#include "cli/outside/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <memory>
#include <thread>

#include "cli/outside/connect.h"
#include "core/base/freed.h"

namespace sentinel {
namespace {

using SteadyClock = std::chrono::steady_clock;

using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

struct Offer {
  std::string name;
  int version;
  const char* ciphers;  ///< of TLS 1.2 and below
  bool weak;
};

const std::array<Offer, 7>& offers() {
  static const std::array<Offer, 7> kOffers = {
      {{"1.0", TLS1_VERSION, "ALL:@SECLEVEL=0", false},
       {"1.1", TLS1_1_VERSION, "ALL:@SECLEVEL=0", false},
       {"1.2", TLS1_2_VERSION, "ALL:@SECLEVEL=0", false},
       {"1.3", TLS1_3_VERSION, "", false},
       {"rsa-key-exchange", TLS1_2_VERSION, "kRSA:@SECLEVEL=0", true},
       {"cbc", TLS1_2_VERSION,
        "AES128-SHA:AES256-SHA:ECDHE+SHA:ECDHE+SHA256:ECDHE+SHA384:DHE+SHA:!AESGCM:!CHACHA20:"
        "!AESCCM:!ARIAGCM:@SECLEVEL=0",
        true},
       {"3des", TLS1_2_VERSION, "3DES:@SECLEVEL=0", true}}};
  return kOffers;
}

struct Attempt {
  Handshake handshake;
  bool has_certificate = false;
  ServedCertificate certificate;
};

CertificateText text_of(X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = ::i2d_X509(certificate, &encoded);
  if (size <= 0) return {};
  const auto text = read_certificate({reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size)});
  OPENSSL_free(encoded);
  return text.value_or({});
}

ServedCertificate served_certificate(SSL* session, X509* certificate, const std::string& name) {
  ServedCertificate out;
  out.text = text_of(certificate);
  int days = 0, seconds = 0;
  ::ASN1_TIME_diff(&days, &seconds, nullptr, ::X509_get0_notAfter(certificate));
  out.days_left = seconds < 0 ? days - 1 : days;
  constexpr double kDay = 86'400;
  const double left = days * kDay + seconds;
  ::ASN1_TIME_diff(&days, &seconds, ::X509_get0_notBefore(certificate), ::X509_get0_notAfter(certificate));
  const double lifetime = days * kDay + seconds;
  out.share_left = left > 0 && lifetime > 0 ? left / lifetime : 0;
  const auto verified = ::SSL_get_verify_result(session);
  out.chain = verified == X509_V_OK ? "ok" : ::X509_verify_cert_error_string(verified);
  out.name_matches = ::X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1 ||
                     ::X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
  return out;
}

/// Why a handshake failed, by what OpenSSL noted: alerts have reasons above 1000.
Handshake failure_of(int ssl_error) {
  const auto code = ::ERR_peek_error();
  const auto reason = ERR_GET_REASON(code);
  const char* text = ::ERR_reason_error_string(code);
  const std::string said = text == nullptr ? "" : text;
  if (ssl_error == SSL_ERROR_SYSCALL || code == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return {"refused", "the connection was closed"};
  if (reason == SSL_R_NO_PROTOCOLS_AVAILABLE || reason == SSL_R_NO_CIPHERS_AVAILABLE) return {"unable", said};
  return {"refused", said};
}

/// Drives the handshake to its end or the deadline.
Handshake shake_hands(SSL* session, int socket, SteadyClock::time_point until) {
  for (;;) {
    ::ERR_clear_error();
    const int done = ::SSL_connect(session);
    if (done == 1) return {"accepted", ::SSL_get_cipher_name(session)};
    const int error = ::SSL_get_error(session, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return failure_of(error);
    pollfd waiting{socket, static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return {"silent", "no answer in time"};
  }
}

Attempt attempt(const Offer& offer, const std::string& address, std::uint16_t port, const std::string& name,
                SteadyClock::time_point until, const std::string& ca_file) {
  Attempt out;
  const Context context(::SSL_CTX_new(::TLS_client_method()));
  ::SSL_CTX_set_security_level(context.get(), 0);
  ::SSL_CTX_set_min_proto_version(context.get(), offer.version);
  ::SSL_CTX_set_max_proto_version(context.get(), offer.version);
  ::SSL_CTX_set_options(context.get(), SSL_OP_LEGACY_SERVER_CONNECT);
  if (*offer.ciphers != '\0' && ::SSL_CTX_set_cipher_list(context.get(), offer.ciphers) != 1) {
    out.handshake = {"unable", "this build of OpenSSL has none of these ciphers"};
    return out;
  }
  if (ca_file.empty()) {
    ::SSL_CTX_set_default_verify_paths(context.get());
  } else {
    ::SSL_CTX_load_verify_file(context.get(), ca_file.c_str());
  }
  const auto socket = connect_to(address, port, until);
  if (!socket.ok()) {
    out.handshake = {socket.error().code == "outside.timeout" ? "silent" : "unreachable", socket.error().message};
    return out;
  }
  const Session session(::SSL_new(context.get()));
  ::SSL_set_fd(session.get(), socket->get());
  std::array<unsigned char, 16> binary{};
  const bool is_address =
      ::inet_pton(AF_INET, name.c_str(), binary.data()) == 1 || ::inet_pton(AF_INET6, name.c_str(), binary.data()) == 1;
  if (!is_address) SSL_set_tlsext_host_name(session.get(), name.c_str());
  out.handshake = shake_hands(session.get(), socket->get(), until);
  if (out.handshake.outcome != "accepted") return out;
  const Certificate certificate(::SSL_get1_peer_certificate(session.get()));
  if (certificate != nullptr) {
    out.has_certificate = true;
    out.certificate = served_certificate(session.get(), certificate.get(), name);
  }
  return out;
}

nlohmann::json handshakes_json(const std::map<std::string, Handshake>& handshakes) {
  auto out = nlohmann::json::object();
  for (const auto& [name, handshake] : handshakes)
    out[name] = {{"outcome", handshake.outcome}, {"detail", handshake.detail}};
  return out;
}

}  // namespace

void to_json(nlohmann::json& json, const TlsReport& value) {
  const auto& certificate = value.certificate;
  json = {{"address", value.address},
          {"port", value.port},
          {"name", value.name},
          {"versions", handshakes_json(value.versions)},
          {"weak_ciphers", handshakes_json(value.weak_ciphers)},
          {"certificate", nullptr}};
  if (!value.has_certificate) return;
  const auto& text = certificate.text;
  json["certificate"] = {{"subject", text.subject},
                         {"issuer", text.issuer},
                         {"names", text.names},
                         {"not_before", text.not_before},
                         {"not_after", text.not_after},
                         {"days_left", certificate.days_left},
                         {"share_left", certificate.share_left},
                         {"fingerprint", text.fingerprint},
                         {"chain", certificate.chain},
                         {"name_matches", certificate.name_matches}};
}

TlsReport probe_tls(const std::string& address, std::uint16_t port, const std::string& name,
                    std::chrono::milliseconds deadline, const std::string& ca_file) {
  const auto until = SteadyClock::now() + deadline;
  std::array<Attempt, 7> attempts;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    threads.emplace_back([&, i] { attempts.at(i) = attempt(offers().at(i), address, port, name, until, ca_file); });
  }
  for (auto& thread : threads) thread.join();
  TlsReport out{address, port, name, {}, {}, false, {}};
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    auto& made = attempts.at(i);
    (offers().at(i).weak ? out.weak_ciphers : out.versions)[offers().at(i).name] = made.handshake;
    if (made.has_certificate && !offers().at(i).weak) {  // of the newest version
      out.has_certificate = true;
      out.certificate = std::move(made.certificate);
    }
  }
  return out;
}

}  // namespace sentinel
