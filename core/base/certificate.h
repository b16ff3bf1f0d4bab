// SPDX-License-Identifier: Apache-2.0
// What a certificate says of itself, and whose key it is for. Whether it is to be trusted is for others to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/secret.h"

namespace sentinel {

struct CertificateText {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  ///< "api.example.com", "192.0.2.7"
  std::string not_before;          ///< RFC 3339, UTC
  std::string not_after;
  std::string fingerprint;  ///< SHA-256 of the certificate, lower-case hex
  std::string public_key;   ///< SHA-256 of its public key (SubjectPublicKeyInfo), lower-case hex
};

/// Error `certificate.malformed`. Any thread.
Result<CertificateText> read_certificate(std::string_view der);
/// The first certificate of a PEM text.
Result<CertificateText> read_certificate_pem(std::string_view pem);
/// SHA-256 of the public half of a private key in PEM, as in CertificateText. Error `certificate.malformed`, also for
/// a key that wants a passphrase.
Result<std::string> public_key_of(const Secret& pem);

}  // namespace sentinel
