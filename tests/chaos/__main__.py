"""`python -m tests.chaos bank`, `... http` and `... mutants`: lines of JSON, exit 1 unless all passed."""

import argparse
import signal
import sys
from types import FrameType

from tests.chaos import bank, checker, ground, mutants, over_http
from tests.chaos.nemesis import Faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("bank", help="book while everything is being killed")
    tills = commands.add_parser("http", help="the same through the API, each posting under a key")
    for command in (runs, tills):
        command.add_argument(
            "--acked", type=int, default=20_000, help="acknowledged postings it takes to pass"
        )
        command.add_argument("--seconds", type=float, default=900, help="give up (and fail) after this long")
        command.add_argument(
            "--faster", type=float, default=1.0, help="how much more often the nemesis strikes"
        )
        command.add_argument("--no-faults", action="store_true", help="only the load")
    tills.add_argument("--bug", choices=["new key per retry"], help="a seeded mistake it must find")
    tries = commands.add_parser("mutants", help="can the harness fail? Seeded mistakes it must find")
    tries.add_argument("--only", nargs="*", choices=sorted(mutants.MUTANTS), help="these mistakes only")
    for command in (runs, tills, tries):
        command.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else bank.new_seed()
    signal.signal(signal.SIGTERM, _leave)
    with ground.a_server() as home:
        if options.command == "mutants":
            passed = [_told(mutants.hunt(home, seed, name)) for name in options.only or mutants.MUTANTS]
            return 0 if all(passed) else 1
        place = ground.a_database(home)
        about = {"acked": options.acked, "seconds": options.seconds, "seed": seed}
        never = Faults(None, None, None, None)
        if options.command == "http":
            faults = never if options.no_faults else over_http.FAULTS.faster(options.faster)
            return 0 if _told(over_http.run(place, **about, faults=faults, bug=options.bug)) else 1
        faults = never if options.no_faults else Faults().faster(options.faster)
        return 0 if _told(bank.run(place, **about, faults=faults)) else 1


def _told(report: dict) -> bool:
    print(checker.line(report), flush=True)
    return report["verdict"] == "pass"


def _leave(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # As an exception, so that the server is stopped on the way out.
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
