"""A till: posts over HTTP, each movement under a key of its own, and asks until it is answered.

Whatever goes wrong on the way (nobody there, a connection that breaks, 503) is followed by the same bytes
under the same key, to whichever server is drawn next.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ADJUST, TRANSACTIONS = "/api/v1/inventory/adjust", "/api/v1/inventory-transactions"
# Shares: most of what a till does is an adjustment.
VERBS = ("add", "remove", "in", "out", "transfer")
SHARES = (0.5, 0.3, 0.08, 0.06, 0.06)
AGAIN = 0.02  # of the answers are asked for once more at once, as after a lost answer
TIMEOUT_SECONDS = 20
PAUSE_SECONDS = (0.02, 0.25)


@dataclass(frozen=True)
class Plan:
    """What all tills are told. `bug` names a seeded mistake; None for honest ones."""

    ports: tuple[int, ...]
    token: str
    products: tuple[str, ...]
    warehouses: tuple[str, ...]
    seed: int
    bug: str | None = None


@dataclass
class Asked:
    """One key: what was wanted, and what came of it. Moments are Unix times."""

    intent: dict[str, str]
    path: str
    body: bytes
    tries: int = 0
    last_try_at: float = 0.0
    answered_at: float = 0.0
    status: int | None = None
    answer: bytes = b""


@dataclass
class Heard:
    """What all tills heard together."""

    asked: dict[str, Asked] = field(default_factory=dict)
    trouble: Counter = field(default_factory=Counter)
    fives: Counter = field(default_factory=Counter)
    asked_again: int = 0
    answered_differently: int = 0
    odd: list[str] = field(default_factory=list)


class Line:
    """Connections to the servers, one each, opened anew when they break."""

    def __init__(self, plan: Plan, heard: Heard, chance: random.Random) -> None:
        self.plan, self.heard, self.chance = plan, heard, chance
        self.open: dict[int, http.client.HTTPConnection] = {}

    def post(self, path: str, body: bytes, key: str) -> tuple[int, bytes] | None:
        """One try at one server; None when the answer is unknown or says to try again."""
        port = self.chance.choice(self.plan.ports)
        connection = self.open.get(port)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
            self.open[port] = connection
        headers = {
            "Authorization": f"Bearer {self.plan.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            status, said = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as trouble:
            connection.close()
            del self.open[port]
            self.heard.trouble[type(trouble).__name__] += 1
            return None
        if status >= 500:
            self.heard.fives[status] += 1
            if status != 503:
                self.heard.odd.append(f"{status}: {said[:300]!r}")
            return None
        return status, said

    def until_answered(self, key: str, asked: Asked, until: float) -> tuple[int, bytes] | None:
        """Ask under one key until there is an answer; None when it is too late."""
        while time.monotonic() < until:
            asked.tries += 1
            asked.last_try_at = time.time()
            said = self.post(asked.path, asked.body, key)
            if said is not None:
                return said
            if self.plan.bug == "new key per retry":
                key = f"{self.chance.getrandbits(96):024x}"
            time.sleep(self.chance.uniform(*PAUSE_SECONDS))
        return None

    def close(self) -> None:
        for connection in self.open.values():
            connection.close()


class Till(threading.Thread):
    """Posts until told to stop, and then finishes what it has begun, or gives up at `give_up_at`."""

    def __init__(
        self, number: int, plan: Plan, heard: Heard, stop: threading.Event, give_up_at: float
    ) -> None:
        super().__init__(daemon=True)
        self.plan, self.heard, self.stop, self.give_up_at = plan, heard, stop, give_up_at
        self.chance = random.Random(f"till {plan.seed} {number}")
        self.line = Line(plan, heard, self.chance)

    def run(self) -> None:
        while not self.stop.is_set():
            key = f"{self.chance.getrandbits(96):024x}"
            asked = self.heard.asked[key] = self._intend(key)
            said = self.line.until_answered(key, asked, self.give_up_at)
            if said is None:
                return
            asked.status, asked.answer = said
            asked.answered_at = time.time()
            if asked.status == 201 and self.chance.random() < AGAIN:
                again(self.line, key, asked, self.give_up_at)
        self.line.close()

    def _intend(self, key: str) -> Asked:
        (verb,) = self.chance.choices(VERBS, SHARES)
        here, there = self.chance.sample(self.plan.warehouses, 2)
        quantity = self.chance.choice(("0.5", "1", "2", "3", "5"))
        product = self.chance.choice(self.plan.products)
        intent = {
            "key": key,
            "verb": verb,
            "product": product,
            "here": here,
            "there": there,
            "quantity": quantity,
        }
        if verb in ("add", "remove"):
            body: dict[str, Any] = {"product_id": product, "warehouse_id": here, "reason": key}
            body["quantity"] = float(quantity) * (1 if verb == "add" else -1)
            return Asked(intent, ADJUST, json.dumps(body).encode())
        body = {"item_id": product, "warehouse_id": here, "transaction_type": verb, "notes": key}
        body["quantity"] = float(quantity)
        if verb == "transfer":
            body["to_warehouse_id"] = there
        return Asked(intent, TRANSACTIONS, json.dumps(body).encode())


def again(line: Line, key: str, asked: Asked, until: float) -> None:
    """Ask once more under a key that was answered: the answer must be the same, byte for byte."""
    repeated = Asked(asked.intent, asked.path, asked.body)
    said = line.until_answered(key, repeated, until)
    if said is not None:
        line.heard.asked_again += 1
        if said != (asked.status, asked.answer):
            line.heard.answered_differently += 1
            line.heard.odd.append(f"{asked.answer!r} became {said[1]!r}")


class Auditor(threading.Thread):
    """Asks for the answers of some keys once more, in its own time."""

    def __init__(self, number: int, plan: Plan, heard: Heard, keys: list[str], give_up_at: float) -> None:
        super().__init__(daemon=True)
        self.keys, self.heard, self.give_up_at = keys, heard, give_up_at
        self.line = Line(plan, heard, random.Random(f"auditor {plan.seed} {number}"))

    def run(self) -> None:
        for key in self.keys:
            again(self.line, key, self.heard.asked[key], self.give_up_at)
        self.line.close()
