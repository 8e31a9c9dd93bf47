"""One client of the shop: a process with several threads that book through core, and die without warning.

Every intent is written to the client's journal before its first try and again with its answer, so that the
next process of the same name asks again for what was never answered, under the same key.
"""

import json
import os
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import stock
from core.auth import Actor
from core.errors import RunoutError
from core.posting import Booked
from db import session as doors

VERBS = ("transfer", "add", "remove", "reverse", "return", "count")
SHARES = (0.45, 0.15, 0.2, 0.1, 0.05, 0.05)


@dataclass(frozen=True)
class Plan:
    """What a client is told. `bug` names a seeded mistake (see `mutants`); None for an honest client."""

    name: str
    url: str
    actor_id: int
    products: tuple[int, ...]
    warehouses: tuple[int, ...]
    folder: str
    seed: int
    threads: int
    seconds: float
    bug: str | None = None

    @property
    def journal(self) -> Path:
        return Path(self.folder) / f"{self.name}.jsonl"

    @property
    def stop_file(self) -> Path:
        return Path(self.folder) / "stop"


@dataclass
class Journal:
    """Append-only file of intents and answers; what `note` wrote survives kill -9 of the process."""

    path: Path
    handle: int = field(init=False)

    def __post_init__(self) -> None:
        self.handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self.handle, b"\n")  # the process before us may have died within a line

    def note(self, event: str, key: str, **facts: Any) -> None:
        os.write(self.handle, (json.dumps({"event": event, "key": key, **facts}) + "\n").encode())

    @staticmethod
    def read(path: Path) -> list[dict]:
        """All whole lines; one that death cut short was never acted on."""
        found = []
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return found


def main(plan: Plan) -> None:
    """Book until told to stop: first what an earlier process of this name left unanswered."""
    unanswered = _unanswered(Journal.read(plan.journal))
    journal = Journal(plan.journal)
    engine = doors.new_engine(plan.url)

    @sa.event.listens_for(engine, "handle_error")
    def _(context: Any) -> None:
        code = getattr(context.original_exception, "pgcode", None)
        journal.note("trouble", "", code=code or type(context.original_exception).__name__)

    doors.bind(engine)
    worker = _Worker(plan, journal, deque(unanswered), time.monotonic() + plan.seconds)
    threads = [threading.Thread(target=worker.run, args=(n,), daemon=True) for n in range(plan.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _unanswered(events: list[dict]) -> list[dict]:
    intents = {event["key"]: event["intent"] for event in events if event["event"] == "try"}
    for event in events:
        if event["event"] in ("acknowledged", "refused"):
            intents.pop(event["key"], None)
    return list(intents.values())


class _Worker:
    def __init__(self, plan: Plan, journal: Journal, unanswered: deque, deadline: float) -> None:
        self.plan, self.journal, self.unanswered, self.deadline = plan, journal, unanswered, deadline
        self.actor = Actor(plan.actor_id, uuid.UUID(int=0), "Chaos", "chaos@shop.example", "manager")
        self.booked: deque[int] = deque(maxlen=200)

    def run(self, number: int) -> None:
        # The process id makes each life of a client draw other numbers than the one before it.
        chance = random.Random(f"{self.plan.seed} {self.plan.name} {number} {os.getpid()}")
        while not self.plan.stop_file.exists() and time.monotonic() < self.deadline:
            try:
                intent = self.unanswered.popleft()
            except IndexError:
                intent = self._intend(chance)
                self.journal.note("try", intent["key"], intent=intent)
            self._until_answered(intent, chance)

    def _intend(self, chance: random.Random) -> dict:
        (verb,) = chance.choices(VERBS, SHARES)
        here, there = chance.sample(self.plan.warehouses, 2)
        intent = {
            "key": f"{chance.getrandbits(96):024x}",
            "verb": verb,
            "product_id": chance.choice(self.plan.products),
            "here": here,
            "there": there,
            # A count sets the level: to more than a few pieces, or the shop would only refuse.
            "quantity": "25" if verb == "count" else chance.choice(("0.5", "1", "2", "3", "5")),
        }
        if verb == "reverse":
            try:
                intent["movement_id"] = chance.choice(self.booked)
            except IndexError:
                intent["verb"] = "add"
        return intent

    def _until_answered(self, intent: dict, chance: random.Random) -> None:
        """Ask under one key until there is an answer; what stays open is left to the checker."""
        while time.monotonic() < self.deadline:
            try:
                self._ask(intent)
                return
            except RunoutError as refusal:
                self.journal.note("refused", intent["key"], why=type(refusal).__name__)
                return
            except SQLAlchemyError:
                if self.plan.stop_file.exists():
                    return
                time.sleep(chance.uniform(0.05, 0.3))

    def _ask(self, intent: dict) -> None:
        match self.plan.bug:
            case "new key per retry":
                booked = doors.transact(lambda session: self._book(session, intent, uuid.uuid4().hex))
            case "acknowledged before the commit":
                self._before_commit(intent)
                return
            case "level outside the transaction":
                booked = self._level_apart(intent)
            case _:
                booked = doors.transact(lambda session: self._book(session, intent, intent["key"]))
        self._acknowledge(intent, booked)

    def _acknowledge(self, intent: dict, booked: Booked | None) -> None:
        if booked is None:
            self.journal.note("refused", intent["key"], why="counted what is there")
            return
        lines = [[line.movement_id, str(line.change), str(line.after)] for line in booked.lines]
        self.journal.note(
            "acknowledged", intent["key"], posting_id=booked.posting_id, lines=lines, replayed=booked.replayed
        )
        if intent["verb"] != "reverse":
            self.booked.append(booked.lines[0].movement_id)

    def _book(self, session: Session, intent: dict, key: str) -> Booked | None:
        """The verb, with the intent's own name as the note: it tells two bookings of one intent apart."""
        about = {"key": key, "reason": intent["key"]}
        product_id, here, quantity = intent["product_id"], intent["here"], intent["quantity"]
        match intent["verb"]:
            case "transfer":
                return stock.transfer(
                    session, self.actor, product_id, here, intent["there"], quantity, **about
                )
            case "add":
                return stock.add(session, self.actor, product_id, here, quantity, **about)
            case "return":
                return stock.add(
                    session, self.actor, product_id, here, quantity, reason_code="return", **about
                )
            case "count":
                return stock.set_to(session, self.actor, product_id, here, quantity, **about)
            case "remove":
                return stock.remove(session, self.actor, product_id, here, quantity, **about)
            case _:
                return stock.reverse(session, self.actor, intent["movement_id"], **about)

    # -- Seeded mistakes of clients --

    def _before_commit(self, intent: dict) -> None:
        acknowledged = False
        try:
            with doors.transaction() as session:
                booked = self._book(session, intent, intent["key"])
                self._acknowledge(intent, booked)
                acknowledged = True
        except SQLAlchemyError:
            if not acknowledged:
                raise

    def _level_apart(self, intent: dict) -> Booked | None:
        booked = doors.transact(lambda session: self._book(session, intent, intent["key"]))
        if booked and not booked.replayed:
            with doors.transaction() as session:
                for line in booked.lines:
                    session.execute(
                        sa.text("SELECT move_level(:product, :warehouse, :change)"),
                        {"product": line.product_id, "warehouse": line.warehouse_id, "change": line.change},
                    )
        return booked
