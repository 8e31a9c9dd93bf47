"""`python -m jobs create-admin`: the first account of a shop."""

import argparse
import getpass
import sys

from core import auth
from core.errors import BadInput
from db.session import transact


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", help="e-mail address to sign in with")
    parser.add_argument("--name", help="how the person is called on the screens")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, do not ask"
    )


def main(arguments: argparse.Namespace) -> int:
    """Create an admin; the password is typed, never an argument that others could see."""
    password = _password(arguments.password_stdin)
    name = arguments.name or arguments.email.partition("@")[0]
    transact(
        lambda session: auth.create_person(
            session, email=arguments.email, name=name, role="admin", password=password
        )
    )
    print(f"{arguments.email} can sign in now.")
    return 0


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("The two passwords differ.")
    return first
