#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may in: introspection by the account service with its caches, the loss of Redis and of the account service, and tokens
that are verified by key sets. The numbers are those of the acceptance cases."""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "proxy"))
from certificates import Authority  # noqa: E402
from proxy import KEY, UPSTREAM_KEY  # noqa: E402
from stack import CHAT, TOKEN, StackCase  # noqa: E402
from upstream import Upstream  # noqa: E402
from zion import Zion, profile  # noqa: E402

PROFILE_KEY = "sentinel:profile:" + hashlib.sha256(TOKEN.encode()).hexdigest()


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned_token(**claims):
    parts = ({"alg": "RS256"}, claims)
    return ".".join(base64url(json.dumps(part).encode()) for part in parts) + "." + base64url(b"x" * 256)


class Introspection(StackCase):
    def test_case_1_no_header(self):
        got = self.ask(self.proxy(), token=None)
        self.assertEqual((got.status, got.json()["error"]["code"]), (401, "UNAUTHORIZED"))
        self.assertEqual([name for name in got.headers if name.startswith("x-ratelimit")], [])

    def test_case_2_other_schemes_ask_nobody(self):
        proxy = self.proxy()
        for scheme in ("bearer x", "Basic eDp5", "BEARER x"):
            got = self.ask(proxy, token=None, headers=[f"Authorization: {scheme}"])
            self.assertEqual((got.status, got.json()["error"]["code"]), (401, "INVALID_TOKEN"), scheme)
        self.assertEqual(self.zion.profile_calls, 0)

    def test_case_3_a_refused_token_is_asked_about_again(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        for _ in range(2):
            got = self.ask(proxy, token="nobody")
            self.assertEqual((got.status, got.json()["error"]["code"]), (401, "INVALID_TOKEN"))
        self.assertEqual(self.zion.profile_calls, 2)
        self.assertEqual(redis.ask("KEYS", "sentinel:profile:*"), [])

    def test_the_account_service_by_https_is_asked_only_if_it_is_trusted(self):
        with tempfile.TemporaryDirectory(prefix="sentinel-tls-") as directory:
            authority = Authority(directory)
            zion = Zion(tls=authority.leaf("zion"))
            self.addCleanup(zion.close)
            zion.users[TOKEN] = profile()
            trusting = self.proxy(ZION_API_URL=zion.url, SENTINEL_CA_FILE=authority.file, SENTINEL_USAGE_FLUSH_SECONDS=0.1)
            self.assertEqual(self.ask(trusting).status, 200)
            trusting.until(lambda: len(zion.booked) == 1, "what was used is billed")
            self.assertEqual(set(zion.server.names), {"localhost"})
            trusting.close()
            calls = zion.profile_calls
            strange = self.proxy(ZION_API_URL=zion.url)
            self.assertEqual(self.ask(strange).status, 502)
            strange.event("tls_failed")
            self.assertEqual((zion.profile_calls, len(zion.batches)), (calls, 1))

    def test_refusals_are_cached_when_told_so(self):
        proxy = self.proxy(SENTINEL_NEGATIVE_CACHE_SECONDS=60)
        for _ in range(3):
            self.assertEqual(self.ask(proxy, token="nobody").status, 401)
        self.assertEqual(self.zion.profile_calls, 1)

    def test_case_4_one_call_for_a_token_and_a_shared_entry(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        for _ in range(2):
            self.assertEqual(self.ask(proxy).status, 200)
        self.assertEqual(self.zion.profile_calls, 1)
        self.assertTrue(1 <= redis.ask("TTL", PROFILE_KEY) <= 300)
        self.assertEqual(json.loads(redis.ask("GET", PROFILE_KEY)), profile())
        other = self.proxy(redis)
        self.assertEqual(self.ask(other).status, 200)
        self.assertEqual(self.zion.profile_calls, 1)

    def test_case_5_zion_500(self):
        self.zion.profile_status = 500
        got = self.ask(self.proxy())
        self.assertEqual((got.status, got.json()["error"]["code"]), (502, "UPSTREAM_ERROR"))
        self.assertTrue(got.json()["error"]["message"].startswith("Zion API error 500"))
        self.assertNotIn(b"zion-inner-text", got.body)

    def test_case_6_redis_stopped_is_no_error(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        redis.kill()
        for _ in range(3):
            self.assertEqual(self.ask(proxy).status, 200)
        self.assertEqual(self.zion.profile_calls, 1)
        redis.start()
        self.all_connected(proxy)
        self.zion.users["second"] = profile(externalId="ext_2")
        self.assertEqual(self.ask(proxy, token="second").status, 200)
        self.assertEqual(len(redis.ask("KEYS", "sentinel:profile:*")), 1)

    def test_redis_that_never_was_there_is_no_error(self):
        redis = self.redis()
        redis.kill()
        proxy = self.proxy(REDIS_URL=redis.url)
        self.assertEqual(self.ask(proxy).status, 200)

    def test_rubbish_in_redis_is_a_miss(self):
        redis = self.redis()
        proxy = self.proxy(redis, JWT_CACHE_TTL_SECONDS=300)
        for number, spoil in enumerate((("SET", "{"), ("SET", "[]"), ("RPUSH", "x"), ("SET", json.dumps({"id": 1})))):
            token = f"token-{number}"
            self.zion.users[token] = profile(externalId=f"ext-{number}")
            key = "sentinel:profile:" + hashlib.sha256(token.encode()).hexdigest()
            redis.ask(spoil[0], key, spoil[1])
            self.assertEqual(self.ask(proxy, token=token).status, 200, spoil)
        self.assertEqual(self.zion.profile_calls, 4)

    def test_case_7_the_id_takes_the_place_of_a_missing_external_id(self):
        redis = self.redis()
        self.zion.users[TOKEN] = profile(externalId=None)
        self.assertEqual(self.ask(self.proxy(redis)).status, 200)
        keys = redis.ask("KEYS", "sentinel:ratelimit:ai:*")
        self.assertEqual([key.split(":")[3] for key in keys], ["usr_1"])

    def test_case_8_the_upstream_sees_nothing_of_the_user(self):
        self.ask(self.proxy(), headers=["Cookie: a=b", "X-Custom: secret", "User-Agent: me"])
        exchange = self.upstream.wait_for(1)
        self.assertEqual(exchange.header("authorization"), f"Bearer {UPSTREAM_KEY}")
        for name in ("cookie", "x-custom", "user-agent"):
            self.assertIsNone(exchange.header(name))
        self.assertNotIn(TOKEN, str(exchange.headers))

    def test_no_ttl_means_no_cache(self):
        redis = self.redis()
        proxy = self.proxy(redis, JWT_CACHE_TTL_SECONDS=0)
        for _ in range(3):
            self.assertEqual(self.ask(proxy).status, 200)
        self.assertEqual(self.zion.profile_calls, 3)
        self.assertEqual(redis.ask("KEYS", "sentinel:profile:*"), [])

    def test_a_token_is_never_cached_past_its_own_end(self):
        redis = self.redis()
        proxy = self.proxy(redis)
        ends_soon = unsigned_token(exp=int(time.time()) + 30)
        ended = unsigned_token(exp=int(time.time()) - 5)
        for token in (ends_soon, ended):
            self.zion.users[token] = profile()
            self.assertEqual(self.ask(proxy, token=token).status, 200)
        keys = redis.ask("KEYS", "sentinel:profile:*")
        self.assertEqual(keys, ["sentinel:profile:" + hashlib.sha256(ends_soon.encode()).hexdigest()])
        self.assertLessEqual(redis.ask("TTL", keys[0]), 30)

    def test_misses_at_the_same_time_are_one_question_per_token(self):
        tokens = [f"token-{i}" for i in range(10)]
        self.zion.users.update((token, profile(id=token, externalId=None)) for token in tokens[1:])
        for workers in (1, 4):
            with self.subTest(workers=workers):
                proxy = self.proxy(SENTINEL_WORKERS=workers)
                self.zion.profile_calls = 0
                self.zion.hang = threading.Event()
                clients = []
                for token in tokens * 10:
                    clients.append((proxy.client(), token))
                    clients[-1][0].request(body=CHAT, key=token)
                    # One after the other, so that each worker gets some.
                    proxy.until(lambda: proxy.metrics().get("sentinel_active_requests", 0) == len(clients) + 1, "this one waits too")
                self.zion.hang.set()
                for client, token in clients:
                    self.assertEqual(client.answer().status, 401 if token == tokens[0] else 200)
                    client.socket.close()
                self.assertEqual(self.zion.profile_calls, len(tokens))

    def test_who_waits_for_another_workers_question_goes_on_too_when_zion_is_away(self):
        proxy = self.proxy(SENTINEL_WORKERS=4, JWT_CACHE_TTL_SECONDS=1, SENTINEL_RATE_LIMIT=1000000)
        self.assertEqual(self.ask(proxy).status, 200)
        self.zion.hang = threading.Event()
        clients = []

        def forty_wait():
            clients.append(proxy.client())
            clients[-1].request(body=CHAT, key=TOKEN)
            return proxy.metrics()["sentinel_active_requests"] >= 41

        proxy.until(forty_wait, "the entry has ended, and forty wait to hear what Zion says of it")
        self.zion.profile_status = 503
        self.zion.hang.set()
        for client in clients:
            self.assertEqual(client.answer().status, 200)
            client.socket.close()
        self.assertEqual(self.zion.profile_calls, 2)

    def test_users_known_before_go_on_while_zion_is_away(self):
        proxy = self.proxy(JWT_CACHE_TTL_SECONDS=1, SENTINEL_ZION_TIMEOUT_SECONDS=1, SENTINEL_RATE_LIMIT=1000000)
        self.assertEqual(self.ask(proxy).status, 200)
        self.zion.profile_status = 503
        # Nothing tells from outside when the entry has ended but that Zion is asked again.
        proxy.until(lambda: self.ask(proxy).status == 200 and self.zion.profile_calls >= 2, "Zion is asked again")
        self.assertEqual(self.ask(proxy).status, 200)
        self.assertEqual(self.ask(proxy, token="stranger").status, 502)
        self.assertGreater(proxy.metrics()['sentinel_cache_operations_total{operation="profile",result="stale"}'], 0)
        self.zion.profile_status = None
        self.zion.users.clear()  # back, and the user is gone: in the background this is found out
        proxy.until(lambda: self.ask(proxy).status == 401, "the revoked token is refused")

    def test_static_keys_go_along_with_zion(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write(f"{hashlib.sha256(KEY.encode()).hexdigest()} service-1\n")
            keys.flush()
            proxy = self.proxy(SENTINEL_KEYS_FILE=keys.name)
            self.assertEqual(self.ask(proxy, token=KEY).status, 200)
            self.assertEqual(self.zion.profile_calls, 0)
            self.assertEqual(self.ask(proxy).status, 200)
            self.assertEqual(self.ask(proxy, token="nobody").status, 401)


class Signer:
    """A key pair made by openssl, and tokens signed with it."""

    def __init__(self, directory, kind, key_id):
        self.algorithm, self.key_id = kind, key_id
        self.path = Path(directory) / f"{key_id}.pem"
        options = {"RS256": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                   "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}[kind]
        subprocess.run(["openssl", "genpkey", *options, "-out", self.path], check=True, capture_output=True)

    def jwk(self):
        common = {"kid": self.key_id, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "RS256":
            text = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True,
                                  text=True).stdout
            return {**common, "kty": "RSA", "n": base64url(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
        der = subprocess.run(["openssl", "ec", "-in", self.path, "-pubout", "-outform", "DER"], check=True,
                             capture_output=True).stdout
        return {**common, "kty": "EC", "crv": "P-256", "x": base64url(der[-64:-32]), "y": base64url(der[-32:])}

    def token(self, header=None, **claims):
        claims = {"iss": "https://issuer", "aud": "proxy", "sub": "sub-1", "email": "a@b.c", "exp": int(time.time()) + 600, **claims}
        head = {"alg": self.algorithm, "kid": self.key_id, **(header or {})}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=signed.encode(), check=True,
                                   capture_output=True).stdout
        if self.algorithm == "ES256":
            signature = self.bare(signature)
        return f"{signed}.{base64url(signature)}"

    @staticmethod
    def bare(der):
        numbers, at = b"", 2
        for _ in range(2):
            size = der[at + 1]
            numbers += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + size
        return numbers


class KeySets(StackCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.rsa = Signer(cls.directory.name, "RS256", "rsa-1")
        cls.ec = Signer(cls.directory.name, "ES256", "ec-1")
        cls.stranger = Signer(cls.directory.name, "RS256", "rsa-2")

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def jwks_proxy(self, *signers, **settings):
        self.file = Path(self.directory.name) / "jwks.json"
        self.file.write_text(json.dumps({"keys": [signer.jwk() for signer in signers]}))
        return self.proxy(ZION_API_URL="", ZION_API_KEY="", SENTINEL_JWKS=self.file, SENTINEL_JWT_ISSUER="https://issuer",
                          SENTINEL_JWT_AUDIENCE="proxy", **settings)

    def test_signed_tokens_are_recognised_without_asking_anybody(self):
        proxy = self.jwks_proxy(self.rsa, self.ec)
        for token in (self.rsa.token(), self.ec.token(), self.rsa.token(aud=["other", "proxy"], externalId="ext-9")):
            self.assertEqual(self.ask(proxy, token=token).status, 200)
        proxy.event("request", user="sub-1")
        proxy.event("request", user="ext-9")
        self.assertEqual(self.zion.profile_calls, 0)

    def test_what_is_not_right_is_refused(self):
        proxy = self.jwks_proxy(self.rsa, self.ec)
        now = int(time.time())
        good = self.rsa.token()
        head, claims, signature = good.split(".")
        other_claims = self.rsa.token(sub="admin").split(".")[1]
        none_head = base64url(b'{"alg":"none"}')
        cases = {
            "expired": self.rsa.token(exp=now - 60), "not yet": self.rsa.token(nbf=now + 600), "no end": self.rsa.token(exp=None),
            "issuer": self.rsa.token(iss="https://evil"), "audience": self.rsa.token(aud="other"),
            "another key under a known id": self.stranger.token(header={"kid": "rsa-1"}),
            "unknown key": self.stranger.token(), "claims exchanged": f"{head}.{other_claims}.{signature}",
            "algorithm none": f"{none_head}.{claims}.", "hmac": self.rsa.token(header={"alg": "HS256"}),
            "algorithm of another key": self.rsa.token(header={"alg": "ES256", "kid": "ec-1"}),
            "critical header": self.rsa.token(header={"crit": ["x"]}), "no token": "abc", "dots": "..", "empty": "",
            "signature cut": good[:-8], "no signature": f"{head}.{claims}."}
        for name, token in cases.items():
            self.assertEqual(self.ask(proxy, token=token).status, 401, name)
        self.assertEqual(self.ask(proxy, token=good).status, 200)

    def test_a_new_key_is_found_when_a_token_names_it(self):
        served = {"keys": [self.rsa.jwk()]}
        self.upstream.script = lambda exchange: exchange.send_json(
            served if exchange.target == "/keys" else {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
        proxy = self.proxy(ZION_API_URL="", ZION_API_KEY="", SENTINEL_JWKS=self.upstream.url.replace("/v1", "/keys"),
                           SENTINEL_JWT_ISSUER="https://issuer", SENTINEL_JWT_AUDIENCE="proxy", SENTINEL_WORKERS=1)
        self.assertEqual(self.ask(proxy, token=self.rsa.token()).status, 200)
        served["keys"].append(self.stranger.jwk())
        token = self.stranger.token()
        proxy.until(lambda: self.ask(proxy, token=token).status == 200, "the new key is read", seconds=15)

    def test_a_key_set_by_https_needs_a_trusted_authority(self):
        authority = Authority(self.directory.name)
        server = Upstream(tls=authority.leaf("keys"))
        self.addCleanup(server.close)
        server.script = lambda exchange: exchange.send_json({"keys": [self.rsa.jwk()]})
        settings = {"ZION_API_URL": "", "ZION_API_KEY": "", "SENTINEL_JWKS": server.url.replace("/v1", "/keys"),
                    "SENTINEL_JWT_ISSUER": "https://issuer", "SENTINEL_JWT_AUDIENCE": "proxy"}
        self.assertEqual(self.ask(self.proxy(**settings, SENTINEL_CA_FILE=authority.file), token=self.rsa.token()).status, 200)
        seen = len(server.exchanges)
        self.assertEqual(self.ask(self.proxy(**settings), token=self.rsa.token()).status, 503)
        self.assertEqual(len(server.exchanges), seen)

    def test_no_key_set_is_a_503_and_keys_that_were_read_stay(self):
        proxy = self.jwks_proxy(self.rsa, SENTINEL_JWKS_REFRESH_SECONDS=1)
        self.assertEqual(self.ask(proxy, token=self.rsa.token()).status, 200)
        self.file.unlink()
        without = self.proxy(ZION_API_URL="", ZION_API_KEY="", SENTINEL_JWKS=self.file, SENTINEL_JWT_ISSUER="https://issuer",
                             SENTINEL_JWT_AUDIENCE="proxy")
        self.assertEqual(self.ask(without, token=self.rsa.token()).status, 503)


if __name__ == "__main__":
    unittest.main()
