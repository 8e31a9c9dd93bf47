"""The bank test through HTTP: tills post under keys while API and PostgreSQL are killed."""

import json
import statistics
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from tests.chaos import bank, checker
from tests.chaos.ground import Ground
from tests.chaos.nemesis import Faults, Nemesis
from tests.chaos.serving import Servers, Watcher
from tests.chaos.till import Auditor, Heard, Plan, Till

TILLS, SERVERS = 12, 2
# The clients that are killed are servers of the API: one takes some seconds to start.
FAULTS = Faults(terminate=1.0, kill_client=8.0, kill_backend=15.0, kill_postmaster=20.0)
FINISH_SECONDS = 120
AUDIT_SECONDS = 900


def run(
    ground: Ground,
    *,
    acked: int,
    seconds: float,
    seed: int,
    faults: Faults = FAULTS,
    bug: str | None = None,
) -> dict:
    """One run on a migrated, empty database; answers the report, whose `verdict` is "pass" or "fail".

    It ends when `acked` keys are answered with 201 and every kind of fault has struck, or after `seconds`.
    Then every such key is asked for once more, in peace.
    """
    world = bank.make_world(ground, opened=bank.WAREHOUSES)
    heard = Heard()
    with tempfile.TemporaryDirectory(prefix="runout-tills-") as folder:
        servers = Servers(ground, Path(folder), SERVERS)
        try:
            servers.wait()
            plan = _plan(ground, world, servers, seed, bug)
            nemesis = Nemesis(ground, faults, servers.kill, seed)
            watchers = [Watcher(port) for port in servers.ports]
            booking_seconds = _post(plan, heard, nemesis, watchers, ground, acked, seconds)
            servers.wait()
            began = time.monotonic()
            _ask_again(plan, heard)
            asking_seconds = time.monotonic() - began
        finally:
            servers.stop()
        log = (Path(folder) / "servers.log").read_text(errors="replace")
    bank.wait_for_quiet(ground)
    told = _told(heard)
    broken = checker.violations(ground, told, world.first_movement_id)
    broken |= {
        "answered_twice_differently": heard.answered_differently,
        "postings_per_key": _keys_not_booked_once(ground, world, told),
        "levels_unlike_the_answers": _levels_unlike_the_answers(ground, told),
        "unheard": checker.unheard(ground, told, world.first_movement_id),
        "fives": sum(number for status, number in heard.fives.items() if status != 503),
        "died_unkilled": servers.died,
        "not_alive": sum(
            number for watcher in watchers for status, number in watcher.live.items() if status != 200
        ),
        "other_statuses": sum(asked.status not in (201, 400, None) for asked in heard.asked.values()),
    }
    answered = len(told.acknowledged)
    struck = dict(nemesis.struck)
    struck["server_kills"] = struck.pop("client_kills")
    unanswered = sum(asked.status is None for asked in heard.asked.values())
    not_enough = [f"{answered} of {acked} acknowledged"] * (answered < acked)
    not_enough += [kind for kind, every in faults.kinds().items() if every and not nemesis.struck[kind]]
    not_enough += [f"{unanswered} never answered"] * bool(unanswered)
    not_enough += [f"{heard.asked_again} of {answered} asked again"] * (heard.asked_again < answered)
    report = {
        "harness": "http",
        "verdict": "pass",
        "seed": seed,
        "target": acked,
        "acked": answered,
        "refused": len(told.refused),
        "tries": sum(asked.tries for asked in heard.asked.values()),
        "answers_lost_and_found": _lost_and_found(ground, world, heard),
        "asked_again": heard.asked_again,
        "seconds": round(booking_seconds, 1),
        "seconds_asking_again": round(asking_seconds, 1),
        "acked_per_second": round(answered / booking_seconds, 1),
        "tills": TILLS,
        "servers": SERVERS,
        **struck,
        "said_503": heard.fives[503],
        "trouble": dict(sorted(heard.trouble.items())),
        "recovery_seconds": _recovery(nemesis, watchers, heard),
        "violations": broken,
        "bug": bug,
        "versions": bank.versions(ground),
    }
    if heard.odd:
        report["odd"] = heard.odd[:3]
        report["log"] = [line for line in log.splitlines() if "ERROR" in line or "Error" in line][:5]
    if nemesis.failed:
        report["nemesis"] = f"{type(nemesis.failed).__name__}: {nemesis.failed}"
    if not_enough:
        report["not_enough"] = not_enough
    if not_enough or nemesis.failed or any(broken.values()):
        report["verdict"] = "fail"
    return report


def _plan(ground: Ground, world: bank.World, servers: Servers, seed: int, bug: str | None) -> Plan:
    with ground.admin() as connection:
        email = connection.scalar(sa.text("SELECT email FROM person WHERE id = :id"), {"id": world.actor_id})
        products, warehouses = (
            tuple(map(str, connection.scalars(sa.text(f"SELECT uid FROM {table} ORDER BY id"))))
            for table in ("product", "warehouse")
        )
    return Plan(tuple(servers.ports), servers.sign_in(email), products, warehouses, seed, bug)


def _post(
    plan: Plan,
    heard: Heard,
    nemesis: Nemesis,
    watchers: list[Watcher],
    ground: Ground,
    acked: int,
    seconds: float,
) -> float:
    """Let the tills post among blows until there is enough; answers for how many seconds."""
    began = time.monotonic()
    stop = threading.Event()
    tills = [Till(n, plan, heard, stop, began + seconds + FINISH_SECONDS) for n in range(TILLS)]
    for thread in (*watchers, nemesis, *tills):
        thread.start()
    wanted = [kind for kind, every in nemesis.faults.kinds().items() if every]
    try:
        while time.monotonic() < began + seconds and (nemesis.is_alive() or not wanted):
            time.sleep(0.2)
            answered = sum(asked.status == 201 for asked in list(heard.asked.values()))
            if answered >= acked and all(nemesis.struck[kind] for kind in wanted):
                break
    finally:
        nemesis.stop()
        stop.set()
        for watcher in watchers:
            watcher.stop()
    ground.revive()
    for till in tills:
        till.join()
    return time.monotonic() - began


def _ask_again(plan: Plan, heard: Heard) -> None:
    """Every key once more (those that tills asked for again at once are counted anew)."""
    keys = [key for key, asked in heard.asked.items() if asked.status == 201]
    heard.asked_again = 0
    until = time.monotonic() + AUDIT_SECONDS
    auditors = [Auditor(n, plan, heard, keys[n::TILLS], until) for n in range(TILLS)]
    for auditor in auditors:
        auditor.start()
    for auditor in auditors:
        auditor.join()


# -- Judged --------------------------------------------------------------------------------------------------


def _told(heard: Heard) -> checker.Told:
    """What the tills heard, as the checker reads it; a transaction's answer does not say the stock after."""
    tried, acknowledged, refused = {}, {}, {}
    verbs = {"in": "add", "out": "remove"}
    for key, asked in heard.asked.items():
        tried[key] = asked.intent | {"verb": verbs.get(asked.intent["verb"], asked.intent["verb"])}
        if asked.status == 201:
            acknowledged[key] = {"posting_id": None, "lines": _lines(asked.intent, asked.answer)}
        elif asked.status is not None:
            refused[key] = {"status": asked.status}
    return checker.Told(tried, acknowledged, refused, len(acknowledged), Counter())


def _lines(intent: dict, answer: bytes) -> list[list]:
    said = json.loads(answer, parse_float=Decimal, parse_int=Decimal)
    if "new_stock" in said:
        return [[int(said["id"]), said["quantity"], said["new_stock"]]]
    lines = [[int(said["id"]), said["change"], None]]
    if intent["verb"] == "transfer":
        lines.append([int(said["counterpart_id"]), -said["change"], None])
    return lines


def _keys_not_booked_once(ground: Ground, world: bank.World, told: checker.Told) -> int:
    """Acknowledged keys that do not have exactly one posting, and postings under keys nobody was told of."""
    with ground.admin() as connection:
        booked = Counter(
            connection.scalars(
                sa.text("SELECT p.key FROM posting AS p WHERE p.actor_id = :actor AND EXISTS"
                        " (SELECT 1 FROM movement AS m WHERE m.posting_id = p.id AND m.id > :first)"),
                {"actor": world.actor_id, "first": world.first_movement_id},
            )
        )  # fmt: skip
    return sum(booked[key] != (key in told.acknowledged) for key in booked.keys() | told.acknowledged.keys())


def _levels_unlike_the_answers(ground: Ground, told: checker.Told) -> int:
    """Products and warehouses whose stock is not what was there plus what was acknowledged."""
    wanted: Counter = Counter()
    for key, event in told.acknowledged.items():
        intent = told.tried[key]
        places = [intent["here"], intent["there"]]
        for place, (_, change, _after) in zip(places, event["lines"], strict=False):
            wanted[intent["product"], place] += change
    with ground.admin() as connection:
        levels = connection.execute(
            sa.text("SELECT CAST(p.uid AS text), CAST(w.uid AS text), l.quantity FROM stock_level AS l"
                    " JOIN product AS p ON p.id = l.product_id JOIN warehouse AS w ON w.id = l.warehouse_id")
        ).all()  # fmt: skip
    return sum(quantity != bank.OPENING + wanted[product, place] for product, place, quantity in levels)


def _lost_and_found(ground: Ground, world: bank.World, heard: Heard) -> int:
    """Keys that were booked before their last try began: the answer to an earlier one was lost."""
    with ground.admin() as connection:
        booked = dict(
            connection.execute(
                sa.text("SELECT key, CAST(extract(epoch FROM recorded_at) AS double precision) FROM posting"
                        " WHERE actor_id = :actor"),
                {"actor": world.actor_id},
            ).all()
        )  # fmt: skip
    return sum(
        asked.tries > 1 and booked.get(key, 1e99) < asked.last_try_at for key, asked in heard.asked.items()
    )


def _recovery(nemesis: Nemesis, watchers: list[Watcher], heard: Heard) -> dict:
    """After kills of PostgreSQL: how long until a server said so; and, from the moment it takes connections
    again, until a server was ready, and a posting answered. Beside it the slowest answer to a probe."""
    kills = [(began, over) for kind, began, over in nemesis.moments if kind == "postmaster_kills"]
    shift = time.time() - time.monotonic()
    said = sorted(answer for watcher in watchers for answer in watcher.ready)
    moments = {
        "unready": [at for at, status in said if status == 503],
        "ready": [at for at, status in said if status == 200],
        "serving": sorted(asked.answered_at - shift for asked in heard.asked.values() if asked.status == 201),
    }
    told: dict[str, float | int | None] = {}
    for name, found in moments.items():
        waited = [
            found[first] - since
            for since in (began if name == "unready" else over for began, over in kills)
            if (first := bisect_left(found, since)) < len(found)
        ]
        told[f"{name}_median"] = round(statistics.median(waited), 2) if waited else None
        told[f"{name}_max"] = round(max(waited), 2) if waited else None
    told["slowest_probe"] = round(max(watcher.slowest for watcher in watchers), 2)
    return told
