"""The processes that serve: how each is started, and what production checks before it starts."""

import argparse
import os
import sys
from typing import NoReturn

from core import logs, production
from db.session import reading
from jobs.steps import ROOT


def dashboard_command(host: str, port: int) -> list[str]:
    """The words that start the dashboard."""
    return [
        sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port),
        "--server.address", host, "--server.headless", "true", "--browser.gatherUsageStats", "false",
        "--logger.hideWelcomeMessage", "true",
    ]  # fmt: skip


def api_command(host: str, port: int) -> list[str]:
    """The words that start the API; it believes forwarded addresses only from `TRUSTED_PROXIES`.

    The server's own limits: headers of some 80 KB at most, and a connection at rest ends after 5 seconds. Its
    `--limit-concurrency` is not used: that counts connections, also those at rest, and answers in plain text.
    Who sends headers slowly is the affair of the proxy (compose.yaml); slow bodies end here too (BodyCap).
    """
    proxies = os.environ.get("TRUSTED_PROXIES")
    trust = ["--proxy-headers", "--forwarded-allow-ips", proxies] if proxies else ["--no-proxy-headers"]
    return [
        sys.executable, "-m", "uvicorn", "api.main:app", "--host", host, "--port", str(port),
        "--no-server-header", "--no-access-log", "--ws", "none", *trust,
    ]  # fmt: skip


def must_be_safe(process: str) -> None:
    """Set up the log of this process, and raise `Unsafe` where production must not start."""
    logs.configure(process, as_json=production.is_production(os.environ))
    production.check(os.environ, reading)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`python -m jobs serve dashboard` or `api`; address and port come from .env.example's variables."""
    parser.add_argument("what", choices=("dashboard", "api"))


def main(arguments: argparse.Namespace) -> NoReturn:
    """Check, and become the server."""
    must_be_safe(arguments.what)
    host = os.environ.get("HOST") or "127.0.0.1"
    if arguments.what == "dashboard":
        command = dashboard_command(host, int(os.environ.get("PORT") or 8501))
    else:
        command = api_command(host, int(os.environ.get("API_PORT") or 8000))
    os.chdir(ROOT)
    os.execv(command[0], command)
