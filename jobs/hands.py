"""Where the work of a run happens: in a process of its own, or in a thread; both are attended alike."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from core.job_runs import Claim
from jobs import steps

CHILD = [sys.executable, "-m", "jobs", "work"]


class Hand(Protocol):
    """Somebody at work on one run; `was_killed` says whether somebody outside ended it."""

    was_killed: bool

    def wait(self, seconds: float) -> bool:
        """Wait for its end at most so long; answers whether it has ended."""
        ...

    def let_go(self) -> None:
        """The run is over or given up: nothing may go on that can be ended."""
        ...

    def died_of(self) -> str | None:
        """Why it ended without a word, as a sentence; None when it ended as it should."""
        ...


class InChild:
    """Work in a process of its own: a hang or a lack of memory takes nothing else along."""

    def __init__(self, claimed: Claim) -> None:
        command = [
            *CHILD, str(claimed.run_id), claimed.job, claimed.slot.isoformat(), str(claimed.fence)
        ]  # fmt: skip
        if claimed.subject is not None:
            command.append(claimed.subject)
        # After kill -9 of this process nobody else would end its children.
        self._child = subprocess.Popen(command, cwd=steps.ROOT, preexec_fn=steps.die_with_parent)

    def wait(self, seconds: float) -> bool:
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def let_go(self) -> None:
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()

    def died_of(self) -> str | None:
        code = self._child.poll()
        if not code:
            return None
        if code < 0:
            return f"Its process was killed by signal {-code}."
        return f"Its process ended with code {code}."

    @property
    def was_killed(self) -> bool:
        """Whether somebody outside ended it: the kernel for want of memory, or a person."""
        code = self._child.poll()
        return code is not None and code < 0


class InThread:
    """Work in a thread, which nobody can end: it is left behind, and its fence keeps it from writing."""

    was_killed = False

    def __init__(self, claimed: Claim, work: Callable[[Claim], None]) -> None:
        self._thread = threading.Thread(
            target=work, args=(claimed,), name=f"{claimed.job} {claimed.run_id}", daemon=True
        )
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def let_go(self) -> None:
        """Nothing to do: see the class."""

    def died_of(self) -> str | None:
        return None
