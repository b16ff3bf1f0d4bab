// SPDX-License-Identifier: Apache-2.0
// TLS as a server really speaks it: one handshake for each version and for each weak family of ciphers, and the
// certificate it shows. The client's own security level is lowered, else it would report its own refusal.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/certificate.h"

namespace sentinel {

/// accepted; refused (an alert, or the connection was closed); silent (the deadline passed); unreachable (no
/// connection); unable (this program can't offer it).
struct Handshake {
  std::string outcome;
  std::string detail;  ///< the cipher agreed on, the alert, what failed
};

struct ServedCertificate {
  CertificateText text;
  int days_left = 0;      ///< whole days, by this machine's clock; negative: over
  double share_left = 0;  ///< of its whole lifetime; 0 when it is over
  std::string chain;      ///< "ok", or why this machine's authorities don't vouch for it
  bool name_matches = false;
};

struct TlsReport {
  std::string address;  ///< as asked
  std::uint16_t port = 0;
  std::string name;                           ///< SNI
  std::map<std::string, Handshake> versions;  ///< "1.0", "1.1", "1.2", "1.3"
  /// "rsa-key-exchange", "cbc", "3des": TLS 1.2 with nothing else offered.
  std::map<std::string, Handshake> weak_ciphers;
  bool has_certificate = false;  ///< some handshake got far enough
  ServedCertificate certificate;
};

void to_json(nlohmann::json& json, const TlsReport& value);

/// All handshakes at once, each with that deadline. `address` is an address or a name. `ca_file`: the only authorities;
/// empty: the system's (SSL_CERT_FILE counts).
TlsReport probe_tls(const std::string& address, std::uint16_t port, const std::string& name,
                    std::chrono::milliseconds deadline, const std::string& ca_file = {});

}  // namespace sentinel
