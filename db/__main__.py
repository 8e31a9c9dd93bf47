"""Commands of the database: `python -m db start`, `python -m db roles migrate` (one after the other)."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from dotenv import load_dotenv

from db import roles as setup
from db import server, session
from db.models import ModelRun, Movement, Person

NO = 3  # answer of a yes-or-no command; 1 is an error, an uncaught one too


def home() -> int:
    """print the folder in which Runout keeps its data"""
    print(server.home())
    return 0


def start() -> int:
    """start the embedded server, or adopt the running one"""
    server.start()
    print(f"The database runs in {server.home()}.")
    return 0


def stop() -> int:
    """stop the embedded server"""
    print("The database is stopped." if server.stop() else "The database was not running.")
    return 0


def roles() -> int:
    """make the database's two roles: the owner of the tables and the login of Runout"""
    setup.make_database()
    setup.make_roles()
    return 0


def migrate() -> int:
    """bring the tables up to date"""
    setup.migrate()
    return 0


def check() -> int:
    """say whether Runout can work with this database"""
    setup.check()
    print("The database is ready.")
    return 0


def is_empty() -> int:
    """exit code 0 when nobody has an account yet, 3 when somebody has"""
    with session.reading() as looking:
        return NO if looking.scalar(sa.select(sa.exists().where(Person.id.is_not(None)))) else 0


def is_untrained() -> int:
    """exit code 0 when there are movements and no forecasts, 3 otherwise"""
    with session.reading() as looking:
        moved = looking.scalar(sa.select(sa.exists().where(Movement.id.is_not(None))))
        trained = looking.scalar(sa.select(sa.exists().where(ModelRun.state == "published")))
    return NO if trained or not moved else 0


def accounts() -> int:
    """print the demo accounts and their passwords, nothing when there are none"""
    from db import demo

    with session.reading() as looking:
        people = looking.scalars(
            sa.select(Person).where(Person.is_demo, Person.is_active).order_by(Person.id)
        ).all()
    for person in people:
        print(f"{person.email:28} {demo.PASSWORDS[person.email]:12} {person.role}")
    return 0


def load_demo() -> int:
    """fill an empty shop with the demo shop"""
    from rich.progress import Progress

    from db import demo

    with Progress() as bar, session.transaction(seconds=600) as filling:
        task = bar.add_task("Loading the demo shop", total=1.0)
        demo.load(filling, datetime.now(UTC).date(), lambda share: bar.update(task, completed=share))
    return 0


COMMANDS: dict[str, Callable[[], int]] = {
    "home": home,
    "start": start,
    "stop": stop,
    "roles": roles,
    "migrate": migrate,
    "check": check,
    "demo": load_demo,
    "accounts": accounts,
    "is-empty": is_empty,
    "is-untrained": is_untrained,
}


def main() -> int:
    load_dotenv()
    parser = argparse.ArgumentParser(
        prog="python -m db",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:14}{work.__doc__}" for name, work in COMMANDS.items()),
    )
    parser.add_argument("commands", nargs="+", choices=COMMANDS, metavar="command", help="see below")
    try:
        for name in parser.parse_args().commands:
            code = COMMANDS[name]()
            if code:
                return code
    except (server.ServerError, setup.SetupError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
