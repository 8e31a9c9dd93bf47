"""Can the harness fail? The same bank test with one seeded mistake at a time; it must find every one of them.

A mistake is either an edit of the posting functions' own source text, made in the mutant's own database, or
a client that breaks a rule (`client.Plan.bug`).
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from db import functions
from tests.chaos import bank
from tests.chaos.ground import Ground, a_database
from tests.chaos.nemesis import Faults

ROUND_SECONDS, ROUNDS = 5, 9
ENDLESS = 10**9  # a round ends by the clock
# No crashes: the mistakes show without them, and a mutant should be found in seconds.
FAULTS = Faults(terminate=0.05, kill_client=0.7, kill_backend=None, kill_postmaster=None)

UNCHECKED = (
    "ALTER TABLE stock_level DROP CONSTRAINT ck_stock_level_quantity",
    "ALTER TABLE movement DROP CONSTRAINT ck_movement_stock",
)


@dataclass(frozen=True)
class Mutant:
    """One mistake: edits (function, text, its replacement), statements, and which findings may tell of it."""

    edits: tuple[tuple[str, str, str], ...] = ()
    statements: tuple[str, ...] = ()
    bug: str | None = None
    shows_as: frozenset[str] = field(default_factory=frozenset)


ONE_STATEMENT = """    UPDATE stock_level AS level
    SET quantity = level.quantity + line.change,
        last_movement_id = nextval('movement_id_seq'),
        updated_at = now()
    WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id
      AND level.quantity + line.change >= 0
    RETURNING"""
READ_THEN_WRITE = """    SELECT level.quantity INTO level_before FROM stock_level AS level
    WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id;
    UPDATE stock_level AS level
    SET quantity = level_before + line.change,
        last_movement_id = nextval('movement_id_seq'),
        updated_at = now()
    WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id
      AND level_before + line.change >= 0
    RETURNING"""
NOTHING_MOVES = """    SELECT level.quantity + line.change, nextval('movement_id_seq')
    FROM stock_level AS level
    WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id
      AND level.quantity + line.change >= 0"""
SORTED_LOCKS = """    PERFORM 1 FROM stock_level AS level
    WHERE (level.product_id, level.warehouse_id) IN (
        SELECT l.product_id, l.warehouse_id FROM posting_line AS l WHERE l.batch = p_batch
    )
    ORDER BY level.product_id, level.warehouse_id
    FOR UPDATE;"""
UNSORTED_LOCKS = """    PERFORM 1 FROM stock_level AS level
    JOIN posting_line AS l ON l.product_id = level.product_id AND l.warehouse_id = level.warehouse_id
    WHERE l.batch = p_batch
    ORDER BY l.line_no
    FOR UPDATE OF level;"""
MOVE_LEVEL = """
CREATE FUNCTION move_level(p_product integer, p_warehouse integer, p_change numeric) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO stock_level AS level (product_id, warehouse_id, quantity)
    VALUES (p_product, p_warehouse, p_change)
    ON CONFLICT (product_id, warehouse_id) DO UPDATE SET quantity = level.quantity + p_change
$$"""
BULK_MOVES = "SET quantity = level.quantity + moved.change, last_movement_id"
WRONG_SUMS = frozenset({"level_is_not_the_sum", "broken_chain", "level_is_not_the_last_closing"})

MUTANTS = {
    "read, then write": Mutant(edits=(("post_stock", ONE_STATEMENT, READ_THEN_WRITE),), shows_as=WRONG_SUMS),
    "new key per retry": Mutant(bug="new key per retry", shows_as=frozenset({"doubled"})),
    "level outside the transaction": Mutant(
        edits=(
            ("post_stock", ONE_STATEMENT + " level.quantity, level.last_movement_id", NOTHING_MOVES),
            ("post_stock_lines", BULK_MOVES, "SET quantity = level.quantity, last_movement_id"),
        ),
        statements=(*UNCHECKED, MOVE_LEVEL, "GRANT EXECUTE ON FUNCTION move_level TO runout_app"),
        bug="level outside the transaction",
        shows_as=WRONG_SUMS,
    ),
    "unsorted locks": Mutant(
        edits=(("post_stock_lines", SORTED_LOCKS, UNSORTED_LOCKS),), shows_as=frozenset({"deadlocks"})
    ),
    "no check, no condition": Mutant(
        edits=(
            ("post_stock", "\n      AND level.quantity + line.change >= 0\n    RETURNING", "\n    RETURNING"),
            ("post_stock_lines", "WHERE running.after < 0", "WHERE running.after < -1e9"),
        ),
        statements=UNCHECKED,
        shows_as=frozenset({"negative"}),
    ),
    "acknowledged before the commit": Mutant(
        bug="acknowledged before the commit", shows_as=frozenset({"lost"})
    ),
}


def hunt(home: Path, seed: int, name: str) -> dict:
    """Rounds of a few seconds in a database of its own, each checked, until the mistake shows.

    The report's verdict is "pass" when the harness found it.
    """
    ground, mutant = a_database(home), MUTANTS[name]
    world = bank.make_world(ground, opened=bank.WAREHOUSES)
    plant(ground, mutant)
    started, found, acked = time.monotonic(), {}, 0
    for turn in range(ROUNDS):
        report = bank.run(
            ground, acked=ENDLESS, seconds=ROUND_SECONDS, seed=seed + turn,
            faults=FAULTS, bug=mutant.bug, world=world,
        )  # fmt: skip
        acked += report["acked"]
        signs = report["violations"] | {"deadlocks": report["deadlocks"]}
        found = {sign: number for sign, number in signs.items() if number}
        if mutant.shows_as & found.keys():
            break
        world = bank.later(ground, world)
    return {
        "harness": "mutants",
        "verdict": "pass" if mutant.shows_as & found.keys() else "fail",
        "mutant": name,
        "found": found,
        "acked": acked,
        "seconds": round(time.monotonic() - started, 1),
        "seed": seed,
        "versions": report["versions"],
    }


def plant(ground: Ground, mutant: Mutant) -> None:
    """Put the mistake into its database. Raises ValueError when an edit no longer fits the source."""
    sources: dict[str, str] = {}
    for name, before, after in mutant.edits:
        source = sources.get(name, functions.source(name))
        if source.count(before) != 1:
            raise ValueError(
                f"The mutant's edit of {name} does not fit its source any more: {before[:60]}..."
            )
        sources[name] = source.replace(before, after)
    with ground.admin() as connection:
        for statement in (*sources.values(), *mutant.statements):
            connection.execute(sa.text(statement.replace(":", "\\:")))
