"""Commands of the database: `python -m db start`, `python -m db roles migrate` (one after the other)."""

import argparse
import sys
from collections.abc import Callable

from dotenv import load_dotenv

from db import server


def home() -> None:
    """print the folder in which Runout keeps its data"""
    print(server.home())


def start() -> None:
    """start the embedded server, or adopt the running one"""
    server.start()
    print(f"The database runs in {server.home()}.")


def stop() -> None:
    """stop the embedded server"""
    print("The database is stopped." if server.stop() else "The database was not running.")


COMMANDS: dict[str, Callable[[], None]] = {"home": home, "start": start, "stop": stop}


def main() -> int:
    load_dotenv()
    parser = argparse.ArgumentParser(
        prog="python -m db",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:10}{work.__doc__}" for name, work in COMMANDS.items()),
    )
    parser.add_argument("commands", nargs="+", choices=COMMANDS, metavar="command", help="see below")
    try:
        for name in parser.parse_args().commands:
            COMMANDS[name]()
    except server.ServerError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
