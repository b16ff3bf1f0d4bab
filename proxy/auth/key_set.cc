// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/key_set.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "core/model/json.h"

namespace sentinel::proxy {
namespace {

using Json = nlohmann::json;
using Bignum = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

constexpr int kLeastRsaBits = 2048;
constexpr std::size_t kCoordinate = 32;  // bytes of a P-256 number

std::string text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Bignum bignum(std::string_view bytes) {
  return {BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
          BN_free};
}

/// A public key of these parameters; null when they make none.
template <typename Push>
std::shared_ptr<EVP_PKEY> public_key(const char* type, Push push) {
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(OSSL_PARAM_BLD_new(),
                                                                                OSSL_PARAM_BLD_free);
  if (builder == nullptr || !push(builder.get())) return nullptr;
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(builder.get()),
                                                                           OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> rsa_key(const Json& json) {
  const std::optional<std::string> modulus = base64url_decode(text(json, "n"));
  const std::optional<std::string> exponent = base64url_decode(text(json, "e"));
  if (!modulus || !exponent || modulus->empty() || exponent->empty()) return nullptr;
  const Bignum n = bignum(*modulus);
  const Bignum e = bignum(*exponent);
  if (n == nullptr || e == nullptr || BN_num_bits(n.get()) < kLeastRsaBits) return nullptr;
  return public_key("RSA", [&](OSSL_PARAM_BLD* builder) {
    return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e.get()) == 1;
  });
}

std::shared_ptr<EVP_PKEY> p256_key(const Json& json) {
  const std::optional<std::string> x = base64url_decode(text(json, "x"));
  const std::optional<std::string> y = base64url_decode(text(json, "y"));
  if (!x || !y || x->size() != kCoordinate || y->size() != kCoordinate) return nullptr;
  const std::string point = "\x04" + *x + *y;
  return public_key("EC", [&](OSSL_PARAM_BLD* builder) {
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1;
  });
}

/// Tokens carry the two numbers bare; OpenSSL wants them in ASN.1. Empty: not such a signature.
std::string der_signature(std::string_view bare) {
  if (bare.size() != 2 * kCoordinate) return {};
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> numbers(ECDSA_SIG_new(), ECDSA_SIG_free);
  Bignum r = bignum(bare.substr(0, kCoordinate));
  Bignum s = bignum(bare.substr(kCoordinate));
  if (numbers == nullptr || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1) return {};
  r.release();
  s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool signature_holds(EVP_PKEY* key, std::string_view signature, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

}  // namespace

Result<KeySet> KeySet::parse(const std::string& written) {
  const Result<Json> json = parse_json(written);
  KeySet set;
  if (json.ok() && json->is_object() && json->contains("keys") && (*json)["keys"].is_array()) {
    for (const Json& entry : (*json)["keys"]) {
      if (!entry.is_object() || (entry.contains("use") && text(entry, "use") != "sig")) continue;
      const bool rsa = text(entry, "kty") == "RSA";
      const bool p256 = text(entry, "kty") == "EC" && text(entry, "crv") == "P-256";
      const std::string algorithm = rsa ? "RS256" : "ES256";
      if ((!rsa && !p256) || (entry.contains("alg") && text(entry, "alg") != algorithm)) continue;
      std::shared_ptr<EVP_PKEY> key = rsa ? rsa_key(entry) : p256_key(entry);
      if (key != nullptr) set.keys_.push_back({text(entry, "kid"), algorithm, std::move(key)});
    }
  }
  if (set.keys_.empty()) {
    return Error("proxy.jwks", "not a key set with a key for RS256 or ES256",
                 "write {\"keys\": [...]} with RSA keys of 2048 bits or more, or EC keys on P-256", ExitCode::kUsage);
  }
  return set;
}

bool KeySet::fits(const Key& key, const Jwt& jwt) {
  return key.algorithm == jwt.algorithm && (!jwt.key_id || *jwt.key_id == key.id);
}

bool KeySet::has_key_for(const Jwt& jwt) const {
  for (const Key& key : keys_) {
    if (fits(key, jwt)) return true;
  }
  return false;
}

bool KeySet::verify(const Jwt& jwt) const {
  for (const Key& key : keys_) {
    if (!fits(key, jwt)) continue;
    const std::string signature = key.algorithm == "ES256" ? der_signature(jwt.signature) : jwt.signature;
    if (!signature.empty() && signature_holds(key.key.get(), signature, jwt.signed_part)) return true;
  }
  return false;
}

}  // namespace sentinel::proxy
