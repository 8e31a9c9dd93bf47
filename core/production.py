"""What production refuses to start on: weak secrets, well-known passwords, too strong a database login.

Nothing here reads the environment: dashboard, API and scheduler hand theirs in when they start.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import passwords
from core.errors import RunoutError
from db.models import ROLES, Person

ENVIRONMENTS = ("development", "test", "production")
SECRET_BYTES = 32
PASSWORD_CHARACTERS = 12
DIFFERENT_CHARACTERS = 10
# Parts of what examples and tutorials use.
WELL_KNOWN = re.compile(
    r"change.?me|example|secret.?key|your.|some.?key|default|password|postgres|runout|123456|abcdef|xxxx",
    re.I,
)
COUNTS = ("on", "1", "true")  # api/settings.py
DEMO_DOMAIN = "@erp.example.com"
_LOGIN = text(
    """
    SELECT rolsuper AS is_superuser, rolcreaterole OR rolcreatedb AS may_create,
           pg_has_role(current_user, tableowner, 'MEMBER') AS owns,
           has_table_privilege(current_user, to_regclass('public.movement'),
                               'INSERT, UPDATE, DELETE, TRUNCATE') AS may_write
    FROM pg_roles, pg_tables
    WHERE rolname = current_user AND tablename = 'movement' AND schemaname = 'public'
    """
)


class Unsafe(RunoutError):
    """Production must not start like this; the sentence names every setting, never its value."""

    status = 503


def is_production(environment: Mapping[str, str]) -> bool:
    """Whether `APP_ENV` says production. Refuses a word that is none, rather than run unguarded by a typo."""
    said = (environment.get("APP_ENV") or "development").strip().lower()
    if said not in ENVIRONMENTS:
        raise Unsafe(f"APP_ENV is none of {', '.join(ENVIRONMENTS)}: correct it.")
    return said == "production"


def check(environment: Mapping[str, str], look: Callable[[], AbstractContextManager[Session]]) -> None:
    """Refuse to start in production while something is unsafe; outside production everything may run.

    Args:
        look: `db.session.reading`; opened only when the settings are in order.

    Raises:
        Unsafe: with one line for each thing to mend.
    """
    if not is_production(environment):
        return
    found = wrong_settings(environment)
    if not found:
        with look() as session:
            found = wrong_database(session)
    if found:
        lines = "\n".join(f"  - {line}" for line in found)
        raise Unsafe(f"Runout does not start in production like this:\n{lines}")


def wrong_settings(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the settings themselves, one sentence each."""
    found = []
    secret = environment.get("JWT_SECRET_KEY") or ""
    if not secret:
        found.append("JWT_SECRET_KEY is missing: `openssl rand -hex 32` makes one.")
    elif len(secret.encode()) < SECRET_BYTES:
        found.append(f"JWT_SECRET_KEY is too short: at least {SECRET_BYTES} bytes.")
    elif WELL_KNOWN.search(secret) or len(set(secret)) < DIFFERENT_CHARACTERS:
        found.append("JWT_SECRET_KEY can be guessed: make a random one with `openssl rand -hex 32`.")
    for name in ("METRICS_TOKEN", "WEBHOOK_SECRET"):
        found += _wrong_token(name, environment.get(name) or "", secret)
    found += _wrong_database_url(environment.get("DATABASE_URL") or "", secret)
    if "*" in (environment.get("CORS_ORIGINS") or ""):
        found.append("CORS_ORIGINS lets every site in: name the addresses that may call the API.")
    found += _wrong_proxies(environment.get("TRUSTED_PROXIES") or "")
    if (environment.get("RATE_LIMITS") or "on").strip().lower() not in COUNTS:
        found.append(
            "RATE_LIMITS must be on: else passwords are guessed as fast as the machine compares them."
        )
    processes = (environment.get("WEB_CONCURRENCY") or "1").strip()
    if processes != "1" and not environment.get("REDIS_URL"):
        found.append(
            "WEB_CONCURRENCY starts several API processes: without REDIS_URL each has limits of its own."
        )
    public = environment.get("PUBLIC_URL") or ""
    if not public.startswith("https://"):
        found.append("PUBLIC_URL must be the https:// address that people open: sign-ins need TLS.")
    if not (environment.get("API_PUBLIC_URL") or "https://").startswith("https://"):
        found.append("API_PUBLIC_URL must begin with https://: the links to files need TLS as well.")
    return found


def _wrong_proxies(given: str) -> list[str]:
    """Whoever may name the visitor's address gets around every limit: a few addresses, not everybody's."""
    for proxy in filter(None, (one.strip() for one in given.split(","))):
        try:
            network = ip_network(proxy)
        except ValueError:
            return ["TRUSTED_PROXIES names something that is neither an address nor a network: correct it."]
        if network.prefixlen == 0:
            return ["TRUSTED_PROXIES believes everybody: name the address or network of the proxy."]
    return []


def _wrong_token(name: str, token: str, secret: str) -> list[str]:
    """None is safe: then only the machine itself may scrape the metrics, and no webhook is signed."""
    if not token:
        return []
    if (
        len(token.encode()) < SECRET_BYTES
        or WELL_KNOWN.search(token)
        or len(set(token)) < DIFFERENT_CHARACTERS
    ):
        return [f"{name} can be guessed: make a random one with `openssl rand -hex 32`."]
    if token == secret:
        return [f"{name} and JWT_SECRET_KEY are the same: make two."]
    return []


def _wrong_database_url(url: str, secret: str) -> list[str]:
    if not url:
        return ["DATABASE_URL is missing: production works with a PostgreSQL that somebody backs up."]
    try:
        parts = urlsplit(url)
        password, host = unquote(parts.password or ""), parts.hostname or ""
    except ValueError:
        return ["DATABASE_URL is not an address: postgresql://runout_app:password@host/database."]
    if not parts.scheme.startswith("postgres"):
        return ["DATABASE_URL does not name a PostgreSQL."]
    if not password:
        # A socket or a certificate says who somebody is; over the network nothing else does.
        return [] if not host or "sslcert" in parts.query else ["DATABASE_URL has no password."]
    if len(password) < PASSWORD_CHARACTERS or WELL_KNOWN.search(password) or password == parts.username:
        return ["The password in DATABASE_URL can be guessed: make a random one and tell it the server."]
    if password == secret:
        return ["JWT_SECRET_KEY and the password in DATABASE_URL are the same: make two."]
    return []


def wrong_database(session: Session) -> list[str]:
    """What is wrong with the database: the login's rights, and accounts whose password everybody knows."""
    found = []
    login = session.execute(_LOGIN).mappings().first()
    if login is None:
        return ["The database has no tables: run `python -m db roles migrate`."]
    if login["is_superuser"] or login["may_create"] or login["owns"] or login["may_write"]:
        found.append(
            "DATABASE_URL logs in as a role that could change the ledger by itself: use runout_app "
            "(`python -m db roles` makes it)."
        )
    known = [
        person.email
        for person in session.scalars(
            select(Person).where(
                Person.is_active, Person.is_demo | Person.email.endswith(DEMO_DOMAIN, autoescape=True)
            )
        )
        if any(passwords.matches(f"{role}123", person.password_hash) for role in ROLES)
    ]
    if known:
        found.append(
            f"Demo passwords still open {', '.join(known)}: deactivate them or change the passwords."
        )
    return found
