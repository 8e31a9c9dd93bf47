"""`python -m tests.chaos bank` and `... mutants`: a line of JSON each, exit 1 unless all passed."""

import argparse
import signal
import sys
from types import FrameType

from tests.chaos import bank, checker, ground, mutants
from tests.chaos.nemesis import Faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("bank", help="book while everything is being killed")
    runs.add_argument("--acked", type=int, default=20_000, help="acknowledged postings it takes to pass")
    runs.add_argument("--seconds", type=float, default=900, help="give up (and fail) after this long")
    runs.add_argument("--faster", type=float, default=1.0, help="how much more often the nemesis strikes")
    runs.add_argument("--no-faults", action="store_true", help="only the load")
    tries = commands.add_parser("mutants", help="can the harness fail? Seeded mistakes it must find")
    tries.add_argument("--only", nargs="*", choices=sorted(mutants.MUTANTS), help="these mistakes only")
    for command in (runs, tries):
        command.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else bank.new_seed()
    signal.signal(signal.SIGTERM, _leave)
    with ground.a_server() as home:
        if options.command == "mutants":
            passed = [_told(mutants.hunt(home, seed, name)) for name in options.only or mutants.MUTANTS]
            return 0 if all(passed) else 1
        faults = Faults(None, None, None, None) if options.no_faults else Faults().faster(options.faster)
        place = ground.a_database(home)
        return 0 if _told(bank.run(
            place, acked=options.acked, seconds=options.seconds, seed=seed, faults=faults
        )) else 1  # fmt: skip


def _told(report: dict) -> bool:
    print(checker.line(report), flush=True)
    return report["verdict"] == "pass"


def _leave(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # As an exception, so that the server is stopped on the way out.
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
