// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "proxy/auth/identity_cache.h"
#include "proxy/auth/jwks_authenticator.h"
#include "proxy/auth/profile.h"

using namespace sentinel::proxy;
using namespace std::chrono_literals;

namespace {

// RFC 7515, appendix A.3.
const std::string kKeySet = R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
const std::string kToken =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnV"
    "lfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

}  // namespace

TEST_CASE("The standard's example of a signed token holds, and with any byte of it changed it doesn't") {
  const KeySet keys = KeySet::parse(kKeySet).value();
  const Jwt jwt = parse_jwt(kToken).value();
  CHECK(jwt.claims.issuer == "joe");
  CHECK(jwt.claims.expires == JwtClaims::Time(1300819380s));
  CHECK(keys.verify(jwt));
  for (std::size_t at = 0; at + 2 < kToken.size(); ++at) {
    std::string changed = kToken;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    const std::optional<Jwt> other = parse_jwt(changed);
    CHECK((!other || !keys.verify(*other)));
  }
}

TEST_CASE("A key set without a key of ours is none") {
  for (const char* text : {"", "[]", "{}", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
                           R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})",
                           R"({"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]})"}) {
    CHECK_FALSE(KeySet::parse(text).ok());
  }
}

TEST_CASE("Claims are judged one by one") {
  JwksOptions options;
  options.issuer = "i";
  options.audience = "a";
  options.leeway = 30s;
  const JwtClaims::Time now(1000s);
  JwtClaims good;
  good.issuer = "i";
  good.audience = {"x", "a"};
  good.subject = "s";
  good.expires = now + 1s;
  CHECK(wrong_claims(good, options, now).empty());
  CHECK(wrong_claims(good, options, now + 30s).empty());
  CHECK(wrong_claims(good, options, now + 31s) == "expired");
  JwtClaims claims = good;
  claims.expires.reset();
  CHECK(wrong_claims(claims, options, now) == "expired");
  claims = good;
  claims.not_before = now + 31s;
  CHECK(wrong_claims(claims, options, now) == "not yet valid");
  claims = good;
  claims.issuer.reset();
  CHECK(wrong_claims(claims, options, now) == "issuer");
  claims = good;
  claims.audience = {"x"};
  CHECK(wrong_claims(claims, options, now) == "audience");
  claims = good;
  claims.subject.reset();
  CHECK(wrong_claims(claims, options, now) == "no subject");
}

TEST_CASE("base64url is strict") {
  CHECK(base64url_decode("-_8") == std::string("\xfb\xff"));
  for (const char* wrong : {"+/8", "AA==", "A", "AA A"}) CHECK_FALSE(base64url_decode(wrong));
}

TEST_CASE("A token lives as long as it may, as long as it says, and past that only while nobody can be asked") {
  const CachedIdentity::Time now(1000s);
  const CachedIdentity plain = lifetime_of({"i", "e"}, now, 300s, 60s, std::nullopt);
  CHECK((plain.fresh_until == now + 300s && plain.stale_until == now + 360s));
  const CachedIdentity ending = lifetime_of({"i", "e"}, now, 300s, 60s, now + 10s);
  CHECK((ending.fresh_until == now + 10s && ending.stale_until == now + 10s));
  const CachedIdentity ended = lifetime_of({"i", "e"}, now, 300s, 60s, now - 10s);
  CHECK((ended.fresh_until == now && ended.stale_until == now));
  const CachedIdentity uncached = lifetime_of({"i", "e"}, now, 0s, 60s, std::nullopt);
  CHECK((uncached.fresh_until == now && uncached.stale_until == now));
}

TEST_CASE("The cache of identities is bounded and drops what was used longest ago") {
  IdentityCache cache(16);  // one entry in each shard
  for (int i = 0; i < 1000; ++i) cache.keep(std::to_string(i), {Identity{std::to_string(i), ""}, {}, {}});
  CHECK(cache.size() <= 16);
  CHECK(cache.find("999")->identity->id == "999");
  cache.forget("999");
  CHECK_FALSE(cache.find("999"));
}

TEST_CASE("A profile goes through the cache unchanged, and one that isn't whole is none") {
  const std::optional<Profile> profile = profile_of_answer(
      R"({"success":true,"data":{"id":"u","email":"e","externalId":null,"emailVerified":true,"createdAt":"t","x":1}})");
  REQUIRE(profile);
  CHECK(profile->identity().id == "u");
  const std::string cached = profile_to_cache(*profile);
  CHECK(cached.find(R"("externalId":null)") != std::string::npos);
  CHECK(profile_of_cache(cached)->created_at == "t");
  for (const char* wrong : {"", "{}", R"({"data":{}})", R"({"success":true,"data":[]})",
                            R"({"success":true,"data":{"id":1,"email":"e","emailVerified":true,"createdAt":"t"}})",
                            R"({"success":true,"data":{"id":"u","email":"e","createdAt":"t"}})"}) {
    CHECK_FALSE(profile_of_answer(wrong));
  }
}
