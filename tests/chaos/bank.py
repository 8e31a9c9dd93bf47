"""The bank test: clients book on few hot levels while a nemesis strikes; nothing may be lost or doubled."""

import multiprocessing
import os
import platform
import random
import tempfile
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing.process import BaseProcess
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import stock
from db import session as doors
from tests.chaos import checker, client
from tests.chaos.ground import Ground
from tests.chaos.nemesis import Faults, Nemesis
from tests.makers import a_product, a_warehouse, an_actor

PRODUCTS, WAREHOUSES, OPENING = 5, 4, 20
LEAVE_SECONDS = 30


@dataclass(frozen=True)
class World:
    """What is there before the first client comes."""

    actor_id: int
    products: tuple[int, ...]
    warehouses: tuple[int, ...]
    first_movement_id: int


def make_world(ground: Ground, opened: int = WAREHOUSES // 2) -> World:
    """A person, five products, four warehouses; a few pieces of each in the first `opened` of them."""
    with ground.admin():  # proves that it is ours before the first write
        engine = doors.new_engine(ground.app_url)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        actor = an_actor(session)
        places = [a_warehouse(session) for _ in range(WAREHOUSES)]
        products = [a_product(session) for _ in range(PRODUCTS)]
        for product in products:
            for place in places[:opened]:
                stock.add(session, actor, product.id, place.id, OPENING, reason_code="opening")
        last = session.scalar(sa.text("SELECT max(id) FROM movement"))
    engine.dispose()
    return World(actor.id, tuple(p.id for p in products), tuple(p.id for p in places), last)


def later(ground: Ground, world: World) -> World:
    """The same world for another run: only what is booked from now on is held against its journals."""
    with ground.admin() as connection:
        last = connection.scalar(sa.text("SELECT max(id) FROM movement"))
    return replace(world, first_movement_id=last)


class Clients:
    """Processes that book; a killed one is followed by another of the same name and journal."""

    def __init__(self, plans: list[client.Plan]) -> None:
        # Forked from a process that has imported everything and has no threads: a new life in milliseconds.
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.chaos.client"])
        self.plans = plans
        self.living = [self._born(plan) for plan in plans]

    def kill(self, any_of: int) -> bool:
        """kill -9 of one client, and its successor."""
        number = any_of % len(self.plans)
        self._end(self.living[number])
        self.living[number] = self._born(self.plans[number])
        return True

    def leave(self) -> None:
        """Ask all to stop after what they are doing; those that do not are killed."""
        self.plans[0].stop_file.touch()
        deadline = time.monotonic() + LEAVE_SECONDS
        for process in self.living:
            process.join(max(deadline - time.monotonic(), 0.1))
            self._end(process)

    def _born(self, plan: client.Plan) -> BaseProcess:
        process = self.context.Process(target=client.main, args=(plan,), daemon=True)
        process.start()
        return process

    @staticmethod
    def _end(process: BaseProcess) -> None:
        process.kill()
        process.join()


def run(
    ground: Ground,
    *,
    acked: int,
    seconds: float,
    seed: int,
    processes: int = 4,
    threads: int = 4,
    faults: Faults | None = None,
    bug: str | None = None,
    world: World | None = None,
) -> dict:
    """One run on a migrated, empty database; answers the report, whose `verdict` is "pass" or "fail".

    It ends when `acked` postings are acknowledged and every kind of fault has struck, or after `seconds`;
    a run that stayed below its target is not a pass, whatever its ledger looks like.
    """
    faults = faults or Faults()
    world = world or make_world(ground)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="runout-journals-") as folder:
        plan = client.Plan(
            "", ground.app_url, world.actor_id, world.products, world.warehouses, folder, seed, threads,
            seconds + LEAVE_SECONDS, bug,
        )  # fmt: skip
        clients = Clients([replace(plan, name=f"client-{n}") for n in range(processes)])
        nemesis = Nemesis(ground, faults, clients.kill, seed)
        nemesis.start()
        try:
            _wait(Path(folder), nemesis, acked, started + seconds)
        finally:
            nemesis.stop()
            ground.revive()
            clients.leave()
        booking_seconds = time.monotonic() - started
        told = checker.Told.read(Path(folder))
        wait_for_quiet(ground)
        broken = checker.violations(ground, told, world.first_movement_id)
        unheard = checker.unheard(ground, told, world.first_movement_id)
    missed = [kind for kind, every in faults.kinds().items() if every and not nemesis.struck[kind]]
    report = {
        "harness": "bank",
        "verdict": "pass",
        "seed": seed,
        "target": acked,
        "acked": len(told.acknowledged),
        "refused": len(told.refused),
        "unanswered": len(told.tried.keys() - told.acknowledged.keys() - told.refused.keys()),
        "answers_lost_and_found": sum(event["replayed"] for event in told.acknowledged.values()),
        "booked_but_unheard": unheard,
        "seconds": round(booking_seconds, 1),
        "acked_per_second": round(len(told.acknowledged) / booking_seconds, 1),
        "threads": processes * threads,
        **nemesis.struck,
        "deadlocks": told.trouble["40P01"],
        "trouble": dict(sorted(told.trouble.items())),
        "violations": broken,
        "bug": bug,
        "versions": versions(ground),
    }
    if nemesis.failed:
        report["nemesis"] = f"{type(nemesis.failed).__name__}: {nemesis.failed}"
    too_few = len(told.acknowledged) < acked
    if too_few or missed or nemesis.failed or any(broken.values()) or report["deadlocks"]:
        report["verdict"] = "fail"
    if too_few or missed:
        report["not_enough"] = [f"{len(told.acknowledged)} of {acked} acknowledged"] * too_few + missed
    return report


def _wait(folder: Path, nemesis: Nemesis, acked: int, deadline: float) -> None:
    wanted = [kind for kind, every in nemesis.faults.kinds().items() if every]
    read: dict[Path, int] = {}
    count = 0
    while time.monotonic() < deadline and nemesis.is_alive() | (not wanted):
        for path in folder.glob("*.jsonl"):
            with path.open("rb") as journal:
                journal.seek(read.get(path, 0))
                fresh = journal.read()
            count += fresh.count(b'"event": "acknowledged"')
            read[path] = read.get(path, 0) + len(fresh)
        if count >= acked and all(nemesis.struck[kind] for kind in wanted):
            return
        time.sleep(0.1)


def wait_for_quiet(ground: Ground) -> None:
    """Until no transaction of a killed client is open: the server may notice its death a moment later."""
    for _ in range(100):
        with ground.admin() as connection:
            open_ones = connection.scalar(
                sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND usename = :role"
                        " AND (state <> 'idle' OR backend_xid IS NOT NULL)"),
                {"name": ground.name, "role": doors.APP_ROLE},
            )  # fmt: skip
        if not open_ones:
            return
        time.sleep(0.1)
    raise RuntimeError("Transactions of dead clients are still open after 10 seconds.")


def versions(ground: Ground) -> dict[str, str]:
    """What was tested."""
    with ground.admin() as connection:
        postgres = connection.scalar(sa.text("SHOW server_version"))
    packages = {name: version(name) for name in ("sqlalchemy", "psycopg2-binary")}
    return {"postgres": str(postgres), "python": platform.python_version(), **packages}


def new_seed() -> int:
    """A seed nobody chose; the report names it."""
    return random.SystemRandom().randrange(2**31) ^ os.getpid()
