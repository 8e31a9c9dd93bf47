"""The ledger's tests on a PostgreSQL that Debian packages: `python -m tests.packaged`.

The embedded server is PostgreSQL 18; with `DATABASE_URL` anything from 15 on is promised. This makes one
of the packaged kind in a temporary folder, runs migrations and ledger tests on it, and removes it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from db import system

PACKAGED = Path("/usr/lib/postgresql")
TESTS = (
    "tests/db/test_migrations.py",
    "tests/db/test_queries.py",
    "tests/core/test_stock.py",
    "tests/core/imports/test_sales.py",
    "tests/core/test_alerts.py",
    "tests/core/test_corrections.py",
    "tests/core/test_job_runs.py",
    "tests/test_races.py",
)


def main() -> int:
    """Exit code of pytest, or 1 where no packaged server is installed."""
    found = sorted(PACKAGED.glob("*/bin/initdb"), key=lambda place: int(place.parts[-3]))
    if not found:
        print(
            "No PostgreSQL under /usr/lib/postgresql; on Debian: apt-get install postgresql", file=sys.stderr
        )
        return 1
    programs = found[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="runout-packaged-"))
    owner = system.account(folder / "none")
    system.give(folder, owner)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    try:
        return _run(programs, folder, owner)
    finally:
        system.run(programs, owner, "pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _run(programs: Path, folder: Path, owner) -> int:
    data = str(folder / "data")
    for program, *arguments in (
        ("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
        ("pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "-o",
         f"-c listen_addresses='' -c fsync=off -k {folder}", "start"),
    ):  # fmt: skip
        ended = system.run(programs, owner, program, *arguments)
        if ended.returncode:
            print(ended.stdout, file=sys.stderr)
            return 1
    version = system.run(programs, owner, "postgres", "-V").stdout.strip()
    print(f"The ledger's tests on {version}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", *TESTS],
        env=os.environ | {"RUNOUT_TEST_SOCKET": str(folder)},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
