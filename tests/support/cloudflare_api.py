# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Cloudflare's API over real HTTPS on 127.0.0.1, answering in the documented shapes
(https://developers.cloudflare.com/api/): envelopes with success, errors and result_info; pages; 403 and 404; 429 with Retry-After.
cloudflare_api_test.py holds it against what is documented."""

import copy
import json
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "fAkeToken-0123456789abcdefghijklmnopqrstuv"
ZONE = "023e105f4ecef8ad9ca31a8372d0c353"


def good_zone(domain="api.example.com", zone="example.com", address="203.0.113.7"):
    """The zone as the design wants it; tests change one thing of it."""
    return {
        "zone": {"id": ZONE, "name": zone, "status": "active", "paused": False, "type": "full"},
        "records": [{"id": "r1", "type": "A", "name": domain, "content": address, "proxied": True, "proxiable": True, "ttl": 1},
                    {"id": "r2", "type": "MX", "name": zone, "content": "mail.example.net", "proxied": False, "ttl": 300}],
        "settings": {"ssl": "strict", "always_use_https": "on", "min_tls_version": "1.2", "websockets": "on", "http2": "on", "http3": "on",
                     "security_level": "medium", "challenge_ttl": 1800, "browser_check": "on"},
        "rulesets": {"http_request_cache_settings": [
            {"id": "c1", "enabled": True, "action": "set_cache_settings", "expression": '(starts_with(http.request.uri.path, "/v1/"))',
             "action_parameters": {"cache": False}}]},
        "page_rules": [],
        "bot_management": {"fight_mode": False},
    }


class CloudflareApi:
    """`state` is what good_zone returns and may be changed while it runs. `forbidden`: endings of paths the token may not read;
    `garbled`: of paths that answer with a page of HTML; `limit`: requests before 429. `requests` keeps (path, authorization)."""

    def __init__(self, certificate, key, state=None):
        self.state = copy.deepcopy(state or good_zone())
        self.forbidden, self.garbled, self.limit, self.per_page_limit = (), (), None, 100
        self.redirect_to = None
        self.requests = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.base = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.requests.append((request.path, request.headers.get("Authorization", "")))
        if self.redirect_to:
            return self.send(request, 302, b"", {"Location": self.redirect_to + request.path})
        if self.limit is not None and len(self.requests) > self.limit:
            return self.fail(request, 429, 971, "Please wait and consider throttling your request speed", {"Retry-After": "120"})
        if url.path.endswith(self.garbled or "\0"):
            return self.send(request, 200, b"<!DOCTYPE html><title>captive portal</title>", {"Content-Type": "text/html"})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.fail(request, 403, 9109, "Invalid access token")
        if url.path.endswith(self.forbidden or "\0"):
            return self.fail(request, 403, 10000, "Authentication error")
        found = self.find(url.path, query)
        if found is None:
            return self.fail(request, 404, 10003, "could not find entrypoint ruleset in the given phase" if "/rulesets/" in url.path else "not found")
        result, info = found
        document = {"success": True, "errors": [], "messages": [], "result": result}
        if info:
            document["result_info"] = info
        return self.send(request, 200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def find(self, path, query):
        state, zone = self.state, f"/zones/{ZONE}"
        if path == "/zones":
            return self.page([state["zone"]] if query.get("name") in (None, state["zone"]["name"]) else [], query, 20)
        if path == zone + "/dns_records":
            return self.page([record for record in state["records"] if query.get("name", record["name"]) == record["name"]], query, 100)
        if path.startswith(zone + "/settings/"):
            name = path.rsplit("/", 1)[1]
            if name not in state["settings"]:
                return None
            return {"id": name, "value": state["settings"][name], "editable": True, "modified_on": "2026-01-01T00:00:00Z"}, None
        if path.startswith(zone + "/rulesets/phases/") and path.endswith("/entrypoint"):
            phase = path.split("/")[-2]
            if phase not in state["rulesets"]:
                return None
            return {"id": "2f2feab2026849078ba485f918791bdc", "kind": "zone", "phase": phase, "rules": state["rulesets"][phase]}, None
        if path == zone + "/pagerules":
            return [rule for rule in state["page_rules"] if query.get("status", rule["status"]) == rule["status"]], None
        if path == zone + "/bot_management":
            return state["bot_management"], None
        return None

    def page(self, items, query, usual):
        size = min(int(query.get("per_page", usual)), self.per_page_limit)
        number = int(query.get("page", 1))
        part = items[(number - 1) * size:number * size]
        return part, {"page": number, "per_page": size, "count": len(part), "total_count": len(items), "total_pages": -(-len(items) // size)}

    def fail(self, request, status, code, message, headers=None):
        document = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
        self.send(request, status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})

    @staticmethod
    def send(request, status, body, headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
