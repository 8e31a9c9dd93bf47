"""Who strikes: connections terminated, clients, server processes and the whole server killed with -9."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos.ground import Ground


@dataclass(frozen=True)
class Faults:
    """Mean seconds between two blows of a kind; None for never."""

    terminate: float | None = 0.15
    kill_client: float | None = 3.0
    kill_backend: float | None = 12.0
    kill_postmaster: float | None = 15.0

    def faster(self, times: float) -> "Faults":
        return Faults(*(every / times if every else None for every in self.kinds().values()))

    def kinds(self) -> dict[str, float | None]:
        return {
            "terminated": self.terminate,
            "client_kills": self.kill_client,
            "backend_kills": self.kill_backend,
            "postmaster_kills": self.kill_postmaster,
        }


class Nemesis(threading.Thread):
    """Strikes at random moments until `stop`; `struck` counts the blows that hit something.

    `moments`: each of those, when it began and when it was over (a killed server is up again then). `failed`
    holds what ended it early (a server that does not come back, or one that is not ours).
    """

    def __init__(self, ground: Ground, faults: Faults, kill_client: Callable[[int], bool], seed: int) -> None:
        super().__init__(daemon=True)
        self.ground, self.faults, self.kill_client = ground, faults, kill_client
        self.chance = random.Random(f"nemesis {seed}")
        self.struck: Counter = Counter(dict.fromkeys(faults.kinds(), 0))
        self.moments: list[tuple[str, float, float]] = []
        self.failed: Exception | None = None
        self._ended = threading.Event()

    def run(self) -> None:
        due = {kind: self._next(every) for kind, every in self.faults.kinds().items() if every}
        while due and not self._ended.wait(max(min(due.values()) - time.monotonic(), 0)):
            kind = min(due, key=due.get)  # type: ignore[arg-type]
            try:
                began = time.monotonic()
                if self._strike(kind):
                    self.struck[kind] += 1
                    self.moments.append((kind, began, time.monotonic()))
            except SQLAlchemyError:
                pass  # the server is on its way down or up: a blow into the air
            except Exception as trouble:  # told by the bank, which cannot pass then
                self.failed = trouble
                return
            due[kind] = self._next(self.faults.kinds()[kind])

    def stop(self) -> None:
        """No blow after this, and the server is up."""
        self._ended.set()
        self.join()

    def _strike(self, kind: str) -> bool:
        anyone = self.chance.randrange(1000)
        match kind:
            case "terminated":
                return self.ground.terminate_backend(anyone)
            case "client_kills":
                return self.kill_client(anyone)
            case "backend_kills":
                return self.ground.kill_backend(anyone)
            case _:
                hit = self.ground.kill_postmaster()
                self.ground.revive()
                return hit

    def _next(self, every: float | None) -> float:
        return time.monotonic() + self.chance.uniform(0.5, 1.5) * (every or 0)
