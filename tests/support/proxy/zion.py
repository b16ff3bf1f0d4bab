# SPDX-License-Identifier: Apache-2.0
"""A scripted account service: users by token, subscriptions' limits, and bookkeeping of reported use that honours
Idempotency-Key. It can answer with any status, hang, die after it has booked, and refuse single rows."""

import json
import threading
from urllib.parse import unquote

from upstream import Upstream

API_KEY = "zion-api-key-that-nobody-may-see"


def profile(**changes):
    return {"id": "usr_1", "email": "test@test.com", "name": None, "externalId": "ext_1", "emailVerified": True,
            "createdAt": "2024-01-01T00:00:00Z", "lastLoginAt": None, **changes}


class Zion:
    """`users`: token -> profile. `profile_status`, `batch_status`, `limits_status`: answered instead of the truth when set.
    `hang`: an Event that answers wait for. `refuse`: (email, model) of rows that are refused. `die_after_booking`: the next so
    many batches are booked and then never answered."""

    def __init__(self, tls=None):
        self.server = Upstream(tls=tls)
        self.server.script = self._answer
        self.url = self.server.url.removesuffix("/v1")
        self.lock = threading.Lock()
        self.users = {}
        self.limits = {}
        self.profile_status = None
        self.batch_status = None
        self.limits_status = None
        self.hang = None
        self.refuse = set()
        self.die_after_booking = 0
        self.profile_calls = 0
        self.limits_calls = 0
        self.batches = []  # (Idempotency-Key, increments) of every call, answered or not
        self.booked = []  # increments, each key once
        self.keys = {}

    def close(self):
        if self.hang is not None:
            self.hang.set()
        self.server.close()

    def failures(self):
        return self.server.failures

    def totals(self):
        """(email, model) -> [input, output, requests] as booked."""
        totals = {}
        with self.lock:
            for item in self.booked:
                total = totals.setdefault((item["email"], item.get("model")), [0, 0, 0])
                for place, name in enumerate(("aiInputTokens", "aiOutputTokens", "aiRequests")):
                    total[place] += item.get(name, 0)
        return totals

    def _answer(self, exchange):
        if self.hang is not None and not self.hang.wait(30):
            raise AssertionError("nobody ended the hanging")
        if exchange.target == "/api/v1/users/me":
            self._profile(exchange)
            return
        if exchange.header("x-api-key") != API_KEY:
            self._refuse(exchange, 401)
        elif exchange.target.startswith("/api/v1/limits/external/"):
            self._limits(exchange, unquote(exchange.target.rsplit("/", 1)[1]))
        elif exchange.target == "/api/v1/usage/external/batch-increment" and exchange.method == "POST":
            self._book(exchange)
        else:
            self._refuse(exchange, 404)

    @staticmethod
    def _refuse(exchange, status):
        exchange.send_json({"success": False, "error": {"code": "X", "message": "zion-inner-text"}}, status=status)

    def _profile(self, exchange):
        with self.lock:
            self.profile_calls += 1
        if self.profile_status is not None:
            self._refuse(exchange, self.profile_status)
            return
        user = self.users.get((exchange.header("authorization") or "").removeprefix("Bearer "))
        if user is None:
            self._refuse(exchange, 401)
        else:
            exchange.send_json({"success": True, "data": user})

    def _limits(self, exchange, external_id):
        with self.lock:
            self.limits_calls += 1
        if self.limits_status is not None:
            self._refuse(exchange, self.limits_status)
        else:
            limits = self.limits.get(external_id, [])
            exchange.send_json({"success": True, "data": {"userId": "usr_1", "externalId": external_id, "limits": limits}})

    def _book(self, exchange):
        key = exchange.header("idempotency-key")
        items = exchange.json()["increments"]
        with self.lock:
            self.batches.append((key, items))
            if self.batch_status is None:
                answer = self.keys.get(key)
                if answer is None:
                    answer = self._results(items)
                    self.keys[key] = answer
            die = self.batch_status is None and self.die_after_booking > 0
            self.die_after_booking -= 1 if die else 0
        if self.batch_status is not None:
            self._refuse(exchange, self.batch_status)
        elif die:
            exchange.keep = False
        else:
            exchange.send_json({"success": True, "data": answer})

    def _results(self, items):
        results = []
        for item in items:
            refused = (item["email"], item.get("model")) in self.refuse
            if refused:
                results.append({"email": item["email"], "success": False, "error": "no"})  # without limitName, as seen
            else:
                self.booked.append(item)
                results.append({"email": item["email"], "limitName": "ai_usage", "success": True})
        failed = sum(not result["success"] for result in results)
        return {"processed": len(items) - failed, "failed": failed, "results": results}
