"""Commands of the house, each run in a process of its own, and what a request to stop does to them."""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 90
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refused(Exception):
    """Runout cannot start; the sentence says what to do."""


class StopAsked(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal while the database is being prepared."""


def start(module: str, *arguments: str, **options) -> subprocess.Popen:
    # Its own session: Ctrl-C reaches only us, and we end it in order.
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, start_new_session=True, **options
    )


def run(module: str, *arguments: str, finish: bool = False) -> None:
    """Run a command and refuse to go on when it fails.

    Args:
        finish: when asked to stop, let it end by itself (starting or stopping a server half is worse).
    """
    process = start(module, *arguments, preexec_fn=None if finish else die_with_parent)
    try:
        code = process.wait()
    except StopAsked:
        if not finish:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if code:
        raise Refused(f"`python -m {module} {' '.join(arguments)}` failed (exit code {code}); see above.")


def says(module: str, question: str) -> bool:
    """A yes-or-no command: exit code 0 is yes, 3 is no, and 1 an error."""
    code = start(module, question, preexec_fn=die_with_parent).wait()
    if code not in (0, 3):
        raise Refused(f"`python -m {module} {question}` failed (exit code {code}); see above.")
    return code == 0


def answer(module: str, question: str) -> str:
    process = start(module, question, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    text = process.communicate()[0].strip()
    if process.returncode:
        raise Refused(f"`python -m {module} {question}` failed (exit code {process.returncode}); see above.")
    return text


def listen_for_signals() -> None:
    """From now on a signal raises StopAsked, once."""
    for number in SIGNALS:
        # nohup ignores SIGHUP and means it; that a script's background jobs ignore SIGINT means nothing.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask_to_stop)
    with suppress(OSError):
        if Path(f"/proc/{os.getppid()}/comm").read_text().strip() == "make":
            die_with_parent(signal.SIGTERM)  # a killed `make` must not leave us behind


def ask_to_stop(_signal: int, _frame: object) -> None:
    stop_listening()
    raise StopAsked


def stop_listening() -> None:
    # Not SIG_IGN, which children would inherit.
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(by: int = signal.SIGTERM) -> None:
    # PR_SET_PDEATHSIG: after kill -9 of the parent nobody else would end its children (Linux only).
    if _libc is not None:
        _libc.prctl(1, by, 0, 0, 0)
