"""Processes that serve, under honcho: they end together, and with us even when we are killed."""

import functools
import os
import signal
import sys
import threading

from honcho.manager import Manager
from honcho.printer import Printer
from honcho.process import Popen, Process

from jobs import steps


class Output:
    """Standard output that asks everything to stop when its reader, a closed terminal say, is gone."""

    def write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
        except OSError:
            # Left alone, the error would end honcho's loop with its processes still running.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
            os.close(nowhere)
            os.kill(os.getpid(), signal.SIGTERM)

    def flush(self) -> None:
        self.write("")

    def isatty(self) -> bool:
        return sys.stdout.isatty()


class Child(Process):
    """A process under honcho that does not outlive a killed launcher."""

    def run(self, events=None, ignore_signals=False) -> None:
        # Not SIGTERM: honcho's go-between ignores it, and Streamlit's handler fails on the broken pipe.
        at_once = functools.partial(steps.die_with_parent, signal.SIGKILL)
        at_once()
        self._child_ctor = functools.partial(Popen, preexec_fn=at_once)
        super().run(events, ignore_signals)


class Children(Manager):
    """Serves until one of them ends or somebody asks to stop; then all end."""

    def __init__(self, on_start: threading.Thread) -> None:
        super().__init__(Printer(Output()))
        self._process_ctor = Child
        self._on_start = on_start

    def _start(self) -> None:
        super()._start()
        self._on_start.start()  # after the forks: a fork copies only the thread that makes it

    def terminate(self) -> None:
        # A signal may come before the children have told honcho their process ids.
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, self.terminate).start()
