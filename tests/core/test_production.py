"""Production refuses what would give the shop away, names the setting, and never shows its value."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import passwords, production
from core.production import Unsafe
from tests.makers import a_person

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "APP_ENV": "production",
    "JWT_SECRET_KEY": "5f1d7a84e956c0b2ff3c8e6d1a907b4e42c95d60bd8173fa2e6904cbd85a1f37",
    "DATABASE_URL": "postgresql://runout_app:8c1f04b7e2d95a63f0@db.shop.example/shop",
    "PUBLIC_URL": "https://stock.shop.example",
}
BAD = [
    ("JWT_SECRET_KEY", None, "missing"),
    ("JWT_SECRET_KEY", "short-but-random-9f8e7d", "too short"),
    ("JWT_SECRET_KEY", "a" * 64, "guessed"),
    ("JWT_SECRET_KEY", "changeme-changeme-changeme-changeme-1234", "guessed"),
    ("JWT_SECRET_KEY", "some_key_that_is_long_enough_for_everything", "guessed"),
    ("DATABASE_URL", None, "missing"),
    ("DATABASE_URL", "sqlite:///shop.db", "PostgreSQL"),
    ("DATABASE_URL", "postgresql://runout_app:runout@db/shop", "guessed"),
    ("DATABASE_URL", "postgresql://runout_app@db/shop", "no password"),
    ("DATABASE_URL", f"postgresql://runout_app:{GOOD['JWT_SECRET_KEY']}@db/shop", "the same"),
    ("DATABASE_URL", "postgresql://[runout_app", "not an address"),
    ("CORS_ORIGINS", "*", "every site"),
    ("TRUSTED_PROXIES", "10.0.0.1, *", "neither an address"),
    ("TRUSTED_PROXIES", "0.0.0.0/0", "everybody"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "neither an address"),
    ("RATE_LIMITS", "off", "guessed as fast"),
    ("WEB_CONCURRENCY", "4", "REDIS_URL"),
    ("METRICS_TOKEN", "short-but-random-9f8e7d", "guessed"),
    ("METRICS_TOKEN", GOOD["JWT_SECRET_KEY"], "the same"),
    ("WEBHOOK_SECRET", "short-but-random-9f8e7d", "guessed"),
    ("WEBHOOK_SECRET", "change-me-please-" * 3, "guessed"),
    ("WEBHOOK_SECRET", GOOD["JWT_SECRET_KEY"], "the same"),
    ("PUBLIC_URL", None, "https"),
    ("PUBLIC_URL", "http://stock.shop.example", "https"),
    ("API_PUBLIC_URL", "http://api.shop.example", "https"),
]


@pytest.mark.parametrize(("name", "value", "why"), BAD)
def test_a_bad_setting_is_named_and_its_value_is_not(name, value, why):
    settings = {key: said for key, said in (GOOD | {name: value}).items() if said is not None}
    with pytest.raises(Unsafe, match=why) as refusal:
        production.check(settings, lambda: pytest.fail("it looked at the database first"))
    assert name in refusal.value.sentence
    assert value is None or value not in refusal.value.sentence


def test_good_settings_on_a_good_database_start(session):
    production.check(GOOD, lambda: nullcontext(session))


def test_outside_production_everything_may_run():
    production.check({}, lambda: pytest.fail("it looked"))
    production.check({"APP_ENV": "development"}, lambda: pytest.fail("it looked"))


def test_a_typing_error_in_the_environment_is_not_taken_for_development():
    with pytest.raises(Unsafe, match="APP_ENV is none of"):
        production.is_production({"APP_ENV": "prodution"})


def test_demo_accounts_are_refused_until_they_are_closed(session):
    person = a_person(session, "manager", email="manager@erp.example.com")
    person.password_hash = passwords.hashed("manager123")
    session.flush()
    with pytest.raises(Unsafe, match=r"manager@erp\.example\.com"):
        production.check(GOOD, lambda: nullcontext(session))
    person.is_active = False
    session.flush()
    production.check(GOOD, lambda: nullcontext(session))


def test_a_changed_demo_password_is_no_demo_password(session):
    person = a_person(session, "manager", email="manager@erp.example.com")
    person.is_demo = True
    session.flush()
    production.check(GOOD, lambda: nullcontext(session))


def test_a_login_that_owns_the_ledger_is_refused(clone):
    engine = sa.create_engine(clone.replace("runout_app@", "postgres@"))
    with sa.orm.Session(engine) as strong, pytest.raises(Unsafe, match="runout_app"):
        production.check(GOOD, lambda: nullcontext(strong))
    engine.dispose()


def test_a_database_without_tables_says_what_to_type(clone):
    engine = sa.create_engine(sa.make_url(clone).set(database="postgres"))
    with sa.orm.Session(engine) as empty:
        assert "roles migrate" in production.wrong_database(empty)[0]
    engine.dispose()


@pytest.mark.parametrize(
    "command", [("jobs", "serve", "dashboard"), ("jobs", "serve", "api"), ("jobs", "schedule")]
)
def test_each_process_refuses_by_itself(command):
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment | {"APP_ENV": "production"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    assert "JWT_SECRET_KEY is missing" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
