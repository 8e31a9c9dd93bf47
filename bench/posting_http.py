"""What does a booking over HTTP cost? Beside pgbench, beside a route that does nothing, beside an ORM's way.

`python -m bench.posting_http [--seconds S] [--rounds N] [--clients 1 8 32]`

Server, clients and database share the machine, so only the ratios mean something. In each round every variant
has its turn; a variant with any other answer than the expected one is an error of the bench.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bench import caller, http_load, posting, shop
from db import queries, server, system
from db import session as doors
from db.models import Product

# The limiter counts, and lets everybody in.
SETTINGS = {
    "JWT_SECRET_KEY": caller.TOKEN_KEY.decode(),
    "RATE_LIMIT_ADDRESS": "1000000",
    "RATE_LIMIT_PERSON": "1000000",
}
ADJUST = "/api/v1/inventory/adjust"
HOT, SPREAD = "one hot row", "spread"
EXPECTED = {"adjust": 201, "no-op": 204, "ORM": 201, "bare ASGI": 200}
PATHS = {"adjust": ADJUST, "no-op": "/bench/noop", "ORM": "/bench/orm", "bare ASGI": "/"}
PLAIN = (
    "CREATE TABLE orm_level (product_id integer PRIMARY KEY, quantity numeric(18, 4) NOT NULL)",
    "CREATE TABLE orm_entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product_id integer NOT NULL"
    " REFERENCES orm_level, person_id integer NOT NULL, change numeric(18, 4) NOT NULL,"
    " before numeric(18, 4) NOT NULL, after numeric(18, 4) NOT NULL, reason text NOT NULL,"
    " at timestamptz NOT NULL DEFAULT now())",
    "INSERT INTO orm_level SELECT id, 1000000 FROM product",
    "GRANT ALL ON orm_level, orm_entry TO runout_app",
)
# The same function with the same line, as the statement of a booking asks for it.
PGBENCH = """\
\\set product random({first}, {last})
WITH booked AS MATERIALIZED (SELECT post_stock({actor}, 'adjust', gen_random_uuid()::text, '\\x00', \
jsonb_build_array(jsonb_build_object('product_id', :product::integer, 'warehouse_id', {warehouse}, \
'type', 'out', 'reason_code', 'issue', 'change', '-1', 'reason', 'Sold to customer'))) AS answer) \
SELECT answer, thresholds_of(answer) FROM booked;
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.posting_http", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="per variant and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--only", nargs="+", choices=[*PATHS, "pgbench"], default=[*PATHS, "pgbench"])
    options = parser.parse_args()
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_http") as url:
            app_url = server.url(doors.APP_ROLE, "bench_http", home)
            doors.bind(doors.new_engine(app_url))
            actor, products, warehouse_id = posting.world()
            with sa.create_engine(url).begin() as connection:
                for statement in PLAIN:
                    connection.execute(sa.text(statement))
            with (
                _serving("bench.posting_app:app", app_url) as port,
                _serving("bench.http_load:bare", app_url) as bare,
            ):
                variants = _variants(home, port, bare, actor.id, products, warehouse_id, options)
                for clients in options.clients:
                    _measure(variants, clients, options)
            _check(url)
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


Variant = Callable[[str, int], http_load.Load]


def _variants(
    home: Path, port: int, bare: int, actor_id: int, products: Sequence[int], warehouse_id: int,
    options: argparse.Namespace,
) -> dict[str, Variant]:  # fmt: skip
    """Each by its name: (spread or hot, clients) -> what came of it."""
    requests = {name: _requests(PATHS[name]) for name in PATHS}

    def over_http(name: str) -> Variant:
        def work(where: str, clients: int) -> http_load.Load:
            these = requests[name] if where == SPREAD else requests[name][:1]
            load = http_load.run(bare if name == "bare ASGI" else port, these, clients, options.seconds)
            if set(load.statuses) != {EXPECTED[name]}:
                raise RuntimeError(f"{name}: answers {load.statuses}")
            return load

        return work

    def by_pgbench(where: str, clients: int) -> http_load.Load:
        last = products[-1] if where == SPREAD else products[0]
        script = PGBENCH.format(first=products[0], last=last, actor=actor_id, warehouse=warehouse_id)
        return _pgbench(home, script, clients, options.seconds)

    made = {name: over_http(name) for name in PATHS} | {"pgbench": by_pgbench}
    return {name: made[name] for name in made if name in options.only}


def _measure(variants: dict[str, Variant], clients: int, options: argparse.Namespace) -> None:
    seen: dict[tuple[str, str], list[http_load.Load]] = {}
    for _ in range(options.rounds):
        for where in (SPREAD, HOT):
            for name, work in variants.items():
                seen.setdefault((where, name), []).append(work(where, clients))
    for where in (SPREAD, HOT):
        rates = {name: statistics.median(r.per_second for r in seen[where, name]) for name in variants}
        print(f"\n{clients} clients, {where}")
        print(
            f"  {'':10} {'per second':>11} {'least':>8} {'most':>8} {'p50 ms':>8} {'p99 ms':>8}   adjust is"
        )
        for name in variants:
            runs = seen[where, name]
            ratio = f"{rates['adjust'] / rates[name]:.3g} of it" if "adjust" in rates else ""
            slow = statistics.median(r.slow_ms or 0 for r in runs)
            print(
                f"  {name:10} {rates[name]:11,.0f} {min(r.per_second for r in runs):8,.0f}"
                f" {max(r.per_second for r in runs):8,.0f}"
                f" {statistics.median(r.median_ms for r in runs):8.1f}"
                f" {f'{slow:.1f}' if slow else '-':>8}   {ratio}",
                flush=True,
            )


def _requests(path: str) -> list[bytes]:
    """One for each product, taking one piece, of somebody who is signed in."""
    token = caller.a_token(timedelta(hours=2))
    with doors.reading() as session:
        uids = session.scalars(sa.select(Product.uid).order_by(Product.id)).all()
    said = {"Authorization": f"Bearer {token}"}
    return [
        http_load.request(
            "POST", path, said,
            json.dumps({"product_id": str(uid), "quantity": -1, "reason": "Sold to customer"}).encode(),
        )
        for uid in uids
    ]  # fmt: skip


def _pgbench(home: Path, script: str, clients: int, seconds: float) -> http_load.Load:
    owner = system.account(server.data_folder(home))
    programs = system.find_programs(home, owner)
    with tempfile.NamedTemporaryFile("w", suffix=".sql", dir=home) as kept:
        kept.write(script)
        kept.flush()
        Path(kept.name).chmod(0o644)
        said = system.run(
            programs, owner, "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
            "-T", str(max(1, round(seconds))), "-f", kept.name, "-h", str(server.socket_folder(home)),
            "-p", str(server.PORT), "-U", doors.APP_ROLE, "bench_http",
        )  # fmt: skip
    found = {line.partition("=")[0].strip(): line.partition("=")[2] for line in said.stdout.splitlines()}
    if said.returncode or "tps" not in found:
        raise RuntimeError(f"pgbench: {said.stdout}")
    per_second = float(found["tps"].split()[0])
    latency = float(found["latency average"].split()[0])
    return http_load.Load(per_second, {}, latency, None)


@contextmanager
def _serving(app: str, url: str) -> Iterator[int]:
    """The server of an app as `make run` starts it; yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-server-header", "--no-access-log",
        "--no-proxy-headers",
    ]  # fmt: skip
    process = subprocess.Popen(
        words, env=os.environ | SETTINGS | {"DATABASE_URL": url}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            time.sleep(0.1)
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield port
    finally:
        process.terminate()
        process.wait()


def _check(url: str) -> None:
    """Nothing was lost: each product has what it began with, less one for each movement that is there."""
    with sa.create_engine(url).connect() as connection:
        wrong = connection.scalar(
            sa.text(
                "SELECT count(*) FROM stock_level AS l WHERE l.quantity <> 1000000 -"
                " (SELECT count(*) FROM movement AS m WHERE m.product_id = l.product_id AND m.change = -1)"
            )
        )
        faults = dict(connection.execute(queries.sql("ledger_faults")).mappings().one())
    print(
        f"\nWrong balances: {wrong}. The ledger afterwards: {'sound' if not any(faults.values()) else faults}"
    )


if __name__ == "__main__":
    main()
