// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth/jwks_authenticator.h"

#include <algorithm>

#include "core/base/digest.h"
#include "core/base/file.h"

namespace sentinel::proxy {
namespace {

/// Anybody can name an unknown key; that many seconds the key set isn't read again for it.
constexpr std::chrono::seconds kBetweenRefreshes{5};
constexpr std::chrono::milliseconds kFetch{10'000};
constexpr std::size_t kMostKeySet = std::size_t{1} << 20;

}  // namespace

std::string_view wrong_claims(const JwtClaims& claims, const JwksOptions& options, JwtClaims::Time now) {
  if (claims.issuer != options.issuer) return "issuer";
  if (std::find(claims.audience.begin(), claims.audience.end(), options.audience) == claims.audience.end()) {
    return "audience";
  }
  if (!claims.expires || now >= *claims.expires + options.leeway) return "expired";
  if (claims.not_before && now + options.leeway < *claims.not_before) return "not yet valid";
  if (!claims.external_id && (!claims.subject || claims.subject->empty())) return "no subject";
  return {};
}

Task<bool> JwksAuthenticator::refresh() {
  tried_ = std::chrono::steady_clock::now();
  std::string text;
  if (const auto* path = std::get_if<std::string>(&options_.source)) {
    text = read_whole_file(*path, kMostKeySet).value_or("");
  } else {
    const BaseUrl& url = std::get<BaseUrl>(options_.source);
    FetchRequest request;
    request.origin = url.origin;
    request.target = url.path.empty() ? "/" : url.path;
    request.total = kFetch;
    request.most = kMostKeySet;
    const FetchAnswer answer = co_await fetch(parts_.loop, parts_.pool, std::move(request));
    parts_.metrics.service.with({"jwks", answer.outcome()}).add();
    if (answer.good()) text = answer.body;
  }
  Result<KeySet> keys = KeySet::parse(text);
  if (!keys.ok()) co_return false;
  keys_ = std::move(*keys);
  co_return true;
}

Task<void> JwksAuthenticator::ensure_keys() {
  const auto work = [&] { return refresh(); };
  co_await refreshes_.run(parts_.loop, "", kFetch * 2, work);
}

Task<AuthOutcome> JwksAuthenticator::authenticate(std::string_view token) {
  const std::string digest = sha256_hex(token);
  const CachedIdentity::Time now = parts_.clock.now();
  const std::optional<CachedIdentity> cached = parts_.cache.find(digest);
  if (cached && cached->identity && now < cached->fresh_until) {
    parts_.metrics.hit.add();
    co_return *cached->identity;
  }
  parts_.metrics.miss.add();
  const std::optional<Jwt> jwt = parse_jwt(token);
  if (!jwt) co_return AuthRefusal{};
  const auto age = tried_ ? std::chrono::steady_clock::now() - *tried_ : std::chrono::steady_clock::duration::max();
  const bool missing = !keys_ || !keys_->has_key_for(*jwt);
  if (missing && (age >= kBetweenRefreshes || refreshes_.under_way(""))) {
    co_await ensure_keys();
  } else if (age >= options_.refresh) {
    tried_ = std::chrono::steady_clock::now();
    parts_.loop.spawn(ensure_keys());
  }
  if (!keys_) co_return AuthRefusal{503, "SERVICE_UNAVAILABLE", "The keys of the token's issuer are not available"};
  if (!keys_->verify(*jwt) || !wrong_claims(jwt->claims, options_, now).empty()) co_return AuthRefusal{};
  const JwtClaims& claims = jwt->claims;
  Identity identity{claims.external_id ? *claims.external_id : *claims.subject, claims.email.value_or("")};
  const CachedIdentity entry = lifetime_of(identity, now, options_.ttl, std::chrono::seconds(0), claims.expires);
  if (entry.fresh_until > now) parts_.cache.keep(digest, entry);
  co_return identity;
}

}  // namespace sentinel::proxy
