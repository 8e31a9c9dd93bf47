"""How fast does the ledger leave the house? The ML export over HTTP, beside PostgreSQL's own COPY.

`python -m bench.export [--rows N] [--repeat R]`

The limit is `COPY (the joined select) TO STDOUT (binary)`: 1.0 is as fast as that. Each variant is timed
right after the limit, in turns. Server, client and database share the machine, so only the ratios mean
something.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg2
from sqlalchemy.engine import make_url

from bench import caller, export_ledger, ratios, shop, visitor
from db import server
from db import session as doors

EXPORT, NAIVE = "/api/v1/ml/export", "/bench/naive"
FORMATS = ("arrow", "parquet", "csv", "ndjson")
GOALS = {"arrow": 2.0, "parquet": 1.5, "csv": 1.0, "ndjson": 0.75}
MEMORY_GOALS = {"arrow": 60, "parquet": 60, "csv": 150, "ndjson": 150}
PAGE_ROWS = 10_000
NAIVE_PAGES = 5
LAST_PAGE = 500
SAMPLE_SECONDS = 0.01
LIMIT = """
SELECT m.id AS transaction_id, product.uid AS item_id, product.sku AS item_sku,
       product.category AS item_category, warehouse.uid AS warehouse_id, warehouse.code AS warehouse_code,
       m.type AS transaction_type, m.change AS quantity, m.unit_price,
       m.change * m.unit_price AS total_amount, m.occurred_at AS created_at, p.recorded_at,
       extract(epoch FROM m.occurred_at) AS created_at_ts
FROM movement AS m
JOIN posting AS p ON p.id = m.posting_id
JOIN product ON product.id = m.product_id
JOIN warehouse ON warehouse.id = m.warehouse_id
"""


@dataclass(frozen=True)
class Pull:
    """What one request took, and what came."""

    seconds: float
    bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.export", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the ledger")
    parser.add_argument("--repeat", type=int, default=5, help="times that each variant is measured")
    parser.add_argument("--products", type=int, default=10_000)
    options = parser.parse_args()
    home = Path(tempfile.gettempdir()).resolve() / f"runout-bench-{uuid.uuid4().hex[:8]}"
    os.environ.pop("DATABASE_URL", None)
    os.environ["RUNOUT_HOME"] = str(home)
    server.start(home)
    try:
        with shop.a_database(home, "bench_export") as url:
            export_ledger.build(url, options.rows, options.products)
            measure(url, server.url(doors.APP_ROLE, "bench_export", home), options.rows, options.repeat)
    finally:
        server.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def measure(url: str, app_url: str, rows: int, repeat: int) -> None:
    """All tables; `url` is the superuser's, `app_url` that of the server."""
    doors.bind(doors.new_engine(app_url))
    token = caller.a_token(timedelta(hours=4))
    with _serving(app_url) as (port, process):
        client = Client(port, token)
        _streams(url, client, process, rows, repeat)
        _pages(client, rows, repeat)


class Client:
    """Somebody who pulls, and looks at nothing but the first and the last bytes."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token

    def pull(self, path: str) -> Pull:
        """One request on a connection of its own. Raises RuntimeError for anything but a whole answer."""
        asked = (
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n"
        )
        room, count, first, last = bytearray(2**20), 0, b"", b""
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self._port)) as line:
            line.sendall(asked.encode())
            while got := line.recv_into(room):
                first = first or bytes(room[:got])
                last = bytes(room[max(got - 5, 0) : got])
                count += got
        is_whole = last.endswith((b"0\r\n\r\n", b"}"))
        if b" 200 " not in first[:20] or not is_whole:
            raise RuntimeError(f"{path}: {first[:300]!r} ... {last!r}")
        return Pull(time.perf_counter() - began, count)


# -- Streams -------------------------------------------------------------------------------------------------


def _streams(url: str, client: Client, process: psutil.Process, rows: int, repeat: int) -> None:
    copy = _limit(url)
    naive_steps = [rows * n // NAIVE_PAGES for n in range(NAIVE_PAGES)]

    def naive() -> Pull:
        """A few pages from the first to the last fifth, scaled to all rows."""
        pages = [client.pull(f"{NAIVE}?offset={at}&limit={PAGE_ROWS}") for at in naive_steps]
        share = min(PAGE_ROWS * NAIVE_PAGES, rows) / rows
        return Pull(sum(p.seconds for p in pages) / share, int(sum(p.bytes for p in pages) / share))

    # All libraries are loaded before anything is measured: idle is a server that has worked.
    for fmt in FORMATS:
        client.pull(f"{EXPORT}?format={fmt}&after={rows - 1}")
    copy()
    idle = process.memory_info().rss
    streams: dict[str, Callable[[], Pull]] = {
        fmt: lambda fmt=fmt: client.pull(f"{EXPORT}?format={fmt}") for fmt in FORMATS
    }
    pairs: dict[str, list[tuple[float, Pull]]] = {name: [] for name in [*streams, "naive"]}
    peaks: dict[str, int] = {}
    for _ in range(repeat):
        for name, work in streams.items():
            limit = copy()
            with _peak(process) as peak:
                pairs[name].append((limit, work()))
            peaks[name] = max(peaks.get(name, 0), peak[0])
    # Last, and once: its objects would make the server's memory look large before the others begin.
    pairs["naive"].append((copy(), naive()))
    _show_streams(f"{rows:,} movements, streamed", rows, pairs, {n: p - idle for n, p in peaks.items()})
    print(f"  The idle server holds {idle / 2**20:.0f} MB, all libraries loaded.")


def _show_streams(
    title: str, rows: int, pairs: dict[str, list[tuple[float, Pull]]], above: dict[str, int]
) -> None:
    limits = [limit for of_one in pairs.values() for limit, _ in of_one]
    print(f"\n{title}")
    print(f"  COPY of the joined select, binary: {rows / statistics.median(limits):,.0f} rows per second")
    print(
        f"  {'':8} {'of COPY':>8} {'least':>6} {'most':>6} {'goal':>6} {'rows/s':>10} {'MB':>7} {'memory':>9}"
        " goal"
    )
    for name, of_one in pairs.items():
        shares = [limit / pull.seconds for limit, pull in of_one]
        seconds = statistics.median(pull.seconds for _, pull in of_one)
        memory = f"+{above[name] / 2**20:.0f} MB" if name in above else ""
        print(
            f"  {name:8} {statistics.median(shares):8.2f} {min(shares):6.2f} {max(shares):6.2f}"
            f" {GOALS.get(name, ''):>6} {rows / seconds:10,.0f} {of_one[0][1].bytes / 1e6:7.1f}"
            f" {memory:>9} {MEMORY_GOALS.get(name, '')}",
            flush=True,
        )


def _limit(url: str) -> Callable[[], float]:
    """Seconds of the COPY, as a client that throws all away sees it."""
    place = make_url(url)
    line = psycopg2.connect(
        host=place.query["host"], port=place.query["port"], user=place.username, dbname=place.database
    )

    nowhere = SimpleNamespace(write=deque(maxlen=0).append)

    def copy() -> float:
        began = time.perf_counter()
        with line, line.cursor() as cursor:
            cursor.copy_expert(f"COPY ({LIMIT}) TO STDOUT (FORMAT binary)", nowhere)
        return time.perf_counter() - began

    return copy


@contextmanager
def _peak(process: psutil.Process) -> Iterator[list[int]]:
    """The most that the process holds in memory meanwhile, in bytes (its first and only entry)."""
    most, ended = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            most[0] = max(most[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        ended.set()
        watcher.join()


# -- Pages ---------------------------------------------------------------------------------------------------


def _pages(client: Client, rows: int, repeat: int) -> None:
    page = min(PAGE_ROWS, rows // LAST_PAGE)
    last = (LAST_PAGE - 1) * page
    # Whoever asks for pages makes the marks along the ledger, a piece each time.
    for _ in range(20):
        client.pull(f"{EXPORT}?limit=1")
    ratios.compare(
        f"A JSON page of {PAGE_ROWS:,} rows (goal: the naive one takes at least 8 times as long)",
        {
            "ours": lambda: client.pull(f"{EXPORT}?limit={PAGE_ROWS}"),
            "naive": lambda: client.pull(f"{NAIVE}?limit={PAGE_ROWS}"),
        },
        repeat=repeat,
    )
    ratios.compare(
        f"Page {LAST_PAGE} of {page:,} rows (goal: at most 1.3 times the first)",
        {
            "page 1": lambda: client.pull(f"{EXPORT}?limit={page}"),
            f"page {LAST_PAGE}": lambda: client.pull(f"{EXPORT}?offset={last}&limit={page}"),
            f"page {LAST_PAGE}, naive": lambda: client.pull(f"{NAIVE}?offset={last}&limit={page}"),
        },
        repeat=3 * repeat,
    )


# -- The server ----------------------------------------------------------------------------------------------


@contextmanager
def _serving(app_url: str) -> Iterator[tuple[int, psutil.Process]]:
    """The server as `make run` starts it, with the address to compare with; its port and its process."""
    port = visitor.free_port()
    words = [
        sys.executable, "-m", "uvicorn", "bench.export_app:app", "--port", str(port), "--no-server-header",
        "--no-access-log", "--no-proxy-headers", "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(words, env=os.environ | {"DATABASE_URL": app_url})
    try:
        for _ in range(600):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
