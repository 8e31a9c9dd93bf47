"""A run: a shop, a server, the callers in processes of their own, and what they found together."""

import math
import multiprocessing
import os
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core import ledger_check
from db import session as doors
from tests.api.test_server import free_port
from tests.fuzz import caller, shop

CASES = 20_000
# Of each operation in the phases that draw; coverage and examples make what the document asks for.
EXAMPLES = 25
MARGIN = 2  # a short run takes more addresses than its share: some have few cases
AT_ONCE = 2
MOST_SECONDS = 3600  # a quiet machine of two cores takes a quarter of that
PACKAGES = ("schemathesis", "hypothesis", "fastapi", "starlette", "pydantic", "uvicorn")


def run(url: str, log: Path, callers: list[str], cases: int, seed: int) -> dict[str, Any]:
    """What came of it: `verdict` is "pass", or the first thing that is not as it must be."""
    began = time.monotonic()
    doors.bind(doors.new_engine(url))
    known = shop.fill(datetime.now(UTC))
    port, key = free_port(), secrets.token_hex(32)
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {"DATABASE_URL": url, "RATE_LIMITS": "off", "JWT_SECRET_KEY": key}
    with log.open("w") as said:
        command = [sys.executable, "-m", "tests.fuzz.server", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        paths = _paths(address, cases, seed)
        asked = [(url, key, who, address, seed, known, paths) for who in callers]
        with multiprocessing.get_context("spawn").Pool(AT_ONCE, maxtasksperchild=1) as pool:
            outcomes = pool.starmap_async(_one, asked, chunksize=1).get(MOST_SECONDS)
        still_serves = server.poll() is None
    finally:
        server.terminate()
        server.wait()
    with doors.reading(seconds=60) as session:
        broken = ledger_check.faults(session)
    doors.bind(None)
    report = {
        "seed": seed,
        "versions": {name: version(name) for name in PACKAGES},
        "seconds": round(time.monotonic() - began),
        "asked": cases,
        "cases": sum(outcome.total for outcome in outcomes),
        "operations": len(set().union(*(outcome.operations for outcome in outcomes))),
        "callers": {outcome.caller: _said(outcome) for outcome in outcomes},
        "broken_rules_of_the_ledger": broken,
        "errors_in_the_log": [line for line in log.read_text().splitlines() if " ERROR " in line][:20],
        "server_still_serves": still_serves,
    }
    return report | {"verdict": _verdict(report, outcomes, callers)}


def _one(
    url: str, key: str, who: str, address: str, seed: int, known: shop.Known, paths: list[str] | None
) -> caller.Outcome:
    """In a process of its own: what one caller finds."""
    doors.bind(doors.new_engine(url))
    return caller.run(who, address, EXAMPLES, seed, known.ids, known.tokens(who, key.encode()), paths)


def _paths(address: str, cases: int, seed: int) -> list[str] | None:
    """For a short run some of the addresses, the same for all callers; None for all."""
    there = sorted(caller.document(address)["paths"])  # waits until the server is there
    share = MARGIN * cases / CASES
    return None if share >= 1 else random.Random(seed).sample(there, math.ceil(len(there) * share))


def _said(outcome: caller.Outcome) -> dict[str, Any]:
    return {
        "cases": outcome.total,
        "by_phase": outcome.cases,
        "phases": outcome.phases,
        "operations": f"{len(outcome.operations)} of {outcome.there}",
        "fewest": min(outcome.operations.values(), default=0),
        "statuses": dict(sorted(outcome.statuses.items())),
        "failures": outcome.failures,
        "errors": outcome.errors,
    }


def _verdict(report: dict[str, Any], outcomes: list[caller.Outcome], callers: list[str]) -> str:
    """Everything is as it must be ("pass"), or the first thing that is not."""
    statuses = sum((outcome.statuses for outcome in outcomes), Counter())
    wrong = {
        "a caller is missing": [outcome.caller for outcome in outcomes] != callers,
        "a phase did not come to its end": not all(outcome.is_whole for outcome in outcomes),
        "a caller was not let in": any(o.is_refused for o in outcomes if o.caller != "anonymous"),
        "fewer cases than asked for": report["cases"] < report["asked"],
        "an operation was left out": any(len(o.operations) < o.there for o in outcomes),
        "an answer of 500 or more": any(status >= 500 for status in statuses),
        "an answer that is not documented": any(outcome.failures for outcome in outcomes),
        "the ledger is broken": bool(report["broken_rules_of_the_ledger"]),
        "errors in the log": bool(report["errors_in_the_log"]),
        "the server has ended": not report["server_still_serves"],
    }
    return next((name for name, is_so in wrong.items() if is_so), "pass")
