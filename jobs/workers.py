"""Who does the thinking of a training: this process, a warm pool of processes, or a Dask cluster.

All of them work through the same batches and answer in their order, so the forecasts are the same. The work
is a function of `core.forecast`, given by its module: workers need neither the database nor its address.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from core.errors import BadInput, RunoutError

T = TypeVar("T")
Work = Callable[..., T]

POOL_PAYS_FROM = 500  # products: starting the processes takes as long as drawing these
CONNECT_SECONDS = 10
BATCH_LIMIT_SECONDS = 900  # far more than a batch takes on any machine: without an answer something hangs
MAPPED_FROM_BYTES = 10_000  # larger arrays go over once and are mapped, not sent with each batch
NICENESS = 5  # pages of people who wait come before a training that nobody waits for
WATCH_SECONDS = 0.5
HANGS = (TimeoutError, multiprocessing.TimeoutError)  # joblib raises the second, which is not the first
DASK_RECIPE = "docs/recipes/train-on-a-cluster.md"


class WorkersFailed(RunoutError):
    """The processes or machines that should draw are not there, or died of it."""

    status = 503


class Crew(Protocol):
    """Somebody who works through batches; `words` tells who."""

    words: str

    def each(self, work: Work[T], batches: Iterable[Any], frozen: Any = None) -> Iterator[T]:
        """`work(batch)`, or `work(batch, frozen)`, of every batch in their order; begins at once.

        Raises:
            WorkersFailed: nothing more is to be expected; what was answered until then counts.
        """
        ...


@contextmanager
def crew(products: int, *, pays_from: int = POOL_PAYS_FROM) -> Iterator[Crew]:
    """Whoever draws so many products: a few in this process, more where the settings say.

    `DASK_SCHEDULER_ADDRESS` names a cluster, `TRAIN_WORKERS` the number of processes here (default: one per
    core; 1 is this process). Nobody is left over when the block ends.

    Raises:
        WorkersFailed: the cluster cannot be reached, has no worker, or its workers run other code.
        BadInput: `TRAIN_WORKERS` is no number of processes.
    """
    address, number = os.environ.get("DASK_SCHEDULER_ADDRESS"), _number()
    if products < pays_from:
        yield Alone()
    elif address:
        with _cluster(address) as cluster:
            yield cluster
    elif number == 1:
        yield Alone()
    else:
        pool = Processes(number)
        try:
            yield pool
        finally:
            pool.end()


def _number() -> int:
    from joblib import cpu_count

    given = os.environ.get("TRAIN_WORKERS")
    if not given:
        return cpu_count()
    if not (given.isascii() and given.isdigit() and int(given) >= 1):
        raise BadInput(f"TRAIN_WORKERS is {given}, which is no number of processes: say 1 or more.")
    return int(given)


class Alone:
    """This process; a batch is done when its answer is asked for."""

    words = "this process"

    def each(self, work: Work[T], batches: Iterable[Any], frozen: Any = None) -> Iterator[T]:
        return (work(batch) if frozen is None else work(batch, frozen) for batch in batches)


class Processes:
    """A pool of processes that stays warm from the judging to the last batch."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.words = f"{number} processes"

    def each(self, work: Work[T], batches: Iterable[Any], frozen: Any = None) -> Iterator[T]:
        """See `Crew`. A worker that dies takes its batch with it once; the second time is a failure."""
        todo = list(batches)
        return self._answers(work, todo, frozen, self._begin(work, todo, frozen))

    def _begin(self, work: Work[T], batches: Sequence[Any], frozen: Any) -> Iterator[T]:
        return _parallel(
            work, _calls(batches, frozen), backend="loky", n_jobs=self.number, initializer=_enter,
            initargs=(os.getpid(),), inner_max_num_threads=1,
        )  # fmt: skip

    def _answers(self, work: Work[T], todo: list[Any], frozen: Any, begun: Iterator[T]) -> Iterator[T]:
        from joblib.externals.loky.process_executor import BrokenProcessPool

        answered = 0
        for last_chance in (False, True):
            try:
                for answer in begun:
                    answered += 1
                    yield answer
                return
            except BrokenProcessPool as death:
                if last_chance:
                    raise WorkersFailed(
                        f"A worker process died, and again when its work was tried anew ({_cause(death)}). "
                        "The system ends processes when memory is short: try with a smaller TRAIN_WORKERS."
                    ) from death
                self.end()
                begun = self._begin(work, todo[answered:], frozen)
            except HANGS as hung:
                raise WorkersFailed(
                    f"A batch took longer than {BATCH_LIMIT_SECONDS} seconds: its worker hangs."
                ) from hung

    def end(self) -> None:
        """End the processes, at once: whoever is cancelled does not wait for them."""
        from joblib.externals.loky import reusable_executor

        if reusable_executor._executor is not None:  # asking for it would make one
            reusable_executor.get_reusable_executor().shutdown(wait=True, kill_workers=True)


class Cluster:
    """A Dask cluster: the same batches over the network; its workers hold what is frozen in memory."""

    def __init__(self, client: Any, address: str) -> None:
        self.client = client
        self.address = address
        self._frozen = self._there = None
        self.words = f"{len(client.nthreads())} workers at {address}"

    def each(self, work: Work[T], batches: Iterable[Any], frozen: Any = None) -> Iterator[T]:
        """See `Crew`. Dask gives the batch of a lost worker to another one."""
        from core.forecast.training import engine_version, same_engine

        # Workers may come later than the training began, so each batch asks again who draws it.
        there = self._sent(frozen) if frozen is not None else None
        calls = [(engine_version(), work, *call) for call in _calls(batches, there)]
        return self._answers(_parallel(same_engine, calls, backend="dask", client=self.client))

    def _sent(self, frozen: Any) -> Any:
        """What is frozen, in the memory of every worker. Kept here: joblib's own `scatter` sends it anew for
        each call, under the name of the one before, which Dask may just be forgetting."""
        if self._frozen is not frozen:
            (self._there,) = self.client.scatter([frozen], broadcast=True, hash=False)
            self._frozen = frozen
        return self._there

    def _answers(self, begun: Iterator[T]) -> Iterator[T]:
        from distributed import CancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        try:
            yield from begun
        except (CancelledError, CommClosedError, KilledWorker, OSError, *HANGS) as loss:
            raise WorkersFailed(
                f"The cluster at {self.address} gave up in the middle of the work ({_cause(loss)}). What was "
                "published before keeps serving; train again when it is back."
            ) from loss


@contextmanager
def _cluster(address: str) -> Iterator[Cluster]:
    from distributed import Client

    from core.forecast.training import engine_version

    or_else = f"See {DASK_RECIPE}, or unset DASK_SCHEDULER_ADDRESS to train on this machine."
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as trouble:
        raise WorkersFailed(
            f"No Dask scheduler answers at {address} (DASK_SCHEDULER_ADDRESS). {or_else}"
        ) from trouble
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            versions = client.run(engine_version)
        except TimeoutError as nobody:
            raise WorkersFailed(f"The Dask scheduler at {address} has no workers. {or_else}") from nobody
        except ModuleNotFoundError as missing:
            raise WorkersFailed(
                f"The workers of {address} cannot import {missing.name}: they need Runout's requirements, "
                f"and its folder as their working directory. {or_else}"
            ) from missing
        others = [worker for worker, version in versions.items() if version != engine_version()]
        if others:
            raise WorkersFailed(
                f"{len(others)} of {len(versions)} workers of {address} run another version of Runout, NumPy "
                f"or SciPy ({others[0]}). Bring them up to date. {or_else}"
            )
        yield Cluster(client, address)


def _parallel(work: Work[T], calls: Iterable[tuple[Any, ...]], **where: Any) -> Iterator[T]:
    """Start on the calls and answer a generator of their results, in their order."""
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(**where) as config:
        if where["backend"] == "dask":
            # Of one worker joblib would make none: it would draw here, where what is frozen is only a name.
            config["backend"].effective_n_jobs = partial(_at_least_two, config["backend"].effective_n_jobs)
        return Parallel(
            return_as="generator", batch_size=1, timeout=BATCH_LIMIT_SECONDS, max_nbytes=MAPPED_FROM_BYTES
        )([delayed(work)(*call) for call in calls])


def _at_least_two(count: Callable[[int], int], wanted: int) -> int:
    return max(count(wanted), 2)


def _calls(batches: Iterable[Any], frozen: Any) -> list[tuple[Any, ...]]:
    return [(batch,) if frozen is None else (batch, frozen) for batch in batches]


def _cause(error: BaseException) -> str:
    """The first line of an error, short enough for a sentence."""
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said[:200]}" if said else type(error).__name__


# -- In a worker process -------------------------------------------------------------------------------------


def _enter(parent: int) -> None:
    """What a worker process does first: step behind the pages, and watch whether its training still lives."""
    os.nice(NICENESS)
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="watch").start()


def _watch(parent: int) -> None:
    # After kill -9 of the parent nobody ends its workers. Not PR_SET_PDEATHSIG: that follows the parent's
    # thread, which may end before the training does, and exists on Linux only.
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
