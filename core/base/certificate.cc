// SPDX-License-Identifier: Apache-2.0
#include "core/base/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include "core/base/digest.h"
#include "core/base/freed.h"

namespace sentinel {
namespace {

using Bytes = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bytes reading(std::string_view text) {
  return Bytes(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return "";
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string name_text(const X509_NAME* name) {
  const Bytes out(::BIO_new(::BIO_s_mem()));
  ::X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const auto* value = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const auto* data = ::ASN1_STRING_get0_data(value);
    const auto size = static_cast<std::size_t>(::ASN1_STRING_length(value));
    if (name->type == GEN_DNS) {
      out.emplace_back(reinterpret_cast<const char*>(data), size);
    } else if (size == 4 || size == 16) {
      std::array<char, INET6_ADDRSTRLEN> text{};
      ::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, text.data(), text.size());
      out.emplace_back(text.data());
    }
  }
  return out;
}

/// SHA-256 of what `encode` (i2d_…) writes.
template <typename Encode>
std::string digest_of(Encode encode) {
  unsigned char* encoded = nullptr;
  const int size = encode(&encoded);
  if (size <= 0) return "";
  auto out = sha256_hex({reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size)});
  OPENSSL_free(encoded);
  return out;
}

std::string digest_of(EVP_PKEY* key) {
  return digest_of([&](unsigned char** to) { return ::i2d_PUBKEY(key, to); });
}

CertificateText describe(X509* certificate) {
  CertificateText out;
  out.subject = name_text(::X509_get_subject_name(certificate));
  out.issuer = name_text(::X509_get_issuer_name(certificate));
  out.names = alternative_names(certificate);
  out.not_before = time_text(::X509_get0_notBefore(certificate));
  out.not_after = time_text(::X509_get0_notAfter(certificate));
  out.fingerprint = digest_of([&](unsigned char** to) { return ::i2d_X509(certificate, to); });
  if (auto* key = ::X509_get0_pubkey(certificate); key != nullptr) out.public_key = digest_of(key);
  return out;
}

Error malformed(const char* what) {
  ::ERR_clear_error();
  return Error("certificate.malformed", what);
}

/// There is nobody to ask.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<CertificateText> read_certificate(std::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const Certificate certificate(::d2i_X509(nullptr, &data, static_cast<long>(der.size())));
  if (certificate == nullptr) return malformed("it is no certificate");
  return describe(certificate.get());
}

Result<CertificateText> read_certificate_pem(std::string_view pem) {
  const Certificate certificate(::PEM_read_bio_X509(reading(pem).get(), nullptr, no_passphrase, nullptr));
  if (certificate == nullptr) return malformed("it holds no certificate in PEM");
  return describe(certificate.get());
}

Result<std::string> public_key_of(const Secret& pem) {
  const Key key(::PEM_read_bio_PrivateKey(reading(pem.reveal()).get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) return malformed("it holds no private key in PEM, or one that wants a passphrase");
  return digest_of(key.get());
}

}  // namespace sentinel
