"""`make fuzz`: five callers send 20,000 requests and more that Schemathesis makes up, and nothing breaks.

Starts a database and a server of its own. Prints one line of JSON; exit code 1 unless every phase of every
caller came to its end, with as many cases as it takes, no answer >= 500, and none that the document does not
have: its status, media type, headers and body. Nothing is left out; whoever logs out gets another token.
"""

import argparse
import json
import secrets
import signal
import sys
import tempfile
from pathlib import Path

from core import passwords
from tests.chaos import ground
from tests.fuzz import run, shop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--cases", type=int, default=run.CASES, help="how many it takes to pass; few: few operations"
    )
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--callers", nargs="*", choices=shop.CALLERS, default=list(shop.CALLERS))
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    passwords.BCRYPT_ROUNDS = 4
    with ground.a_server() as home, tempfile.TemporaryDirectory() as folder:
        url = ground.a_database(home).app_url
        report = run.run(url, Path(folder) / "server.log", options.callers, options.cases, seed)
    print(json.dumps(report, default=str), flush=True)
    return 0 if report["verdict"] == "pass" else 1


if __name__ == "__main__":
    sys.exit(main())
