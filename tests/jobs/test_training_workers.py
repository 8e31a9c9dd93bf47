"""Who draws: alone, in a pool of processes, on a Dask cluster; always the same, and never a hang."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from core.errors import BadInput
from core.forecast import analogs, training
from jobs import workers
from jobs.steps import ROOT
from tests.core.forecast.shops import a_shop

PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    monkeypatch.delenv("TRAIN_WORKERS", raising=False)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)


def batches_of(shop, size=5):
    return training.batches(list(range(len(shop))), [numbered(shop)], {}, {}, size)


def numbered(shop):
    return replace(shop, ids=tuple(str(row) for row in range(len(shop))))


def drawn(crew, batches, frozen):
    answers = crew.each(training.draw, batches, frozen)
    return {draft.unique_id: draft for drafts in answers for draft in drafts}


# What workers of the tests do; each gets a path to leave traces at.


def sleep_and_tell(batch):
    time.sleep(batch)
    return batch, os.getpid(), os.nice(0)


def die_the_first_times(batch):
    number, folder, times = batch
    deaths = sum(name.startswith("death") for name in os.listdir(folder))
    if number == 3 and deaths < times:
        open(os.path.join(folder, f"death{deaths}"), "x").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def break_at_three(number):
    if number == 3:
        raise ZeroDivisionError("three")
    return number


@pytest.fixture(scope="module")
def pool():
    """Two processes, warm for all tests here."""
    processes = workers.Processes(2)
    yield processes
    processes.end()


def test_processes_draw_what_one_draws_however_the_products_are_cut(pool):
    shop = a_shop(40, days=200)
    frozen = training.Frozen.of(analogs.build_library(shop).dump())
    batches = batches_of(shop, 7)
    alone = drawn(workers.Alone(), batches, frozen)
    assert len(alone) == len(shop)
    assert {"ok", "too_short"} == {draft.state for draft in alone.values()}
    assert drawn(pool, batches, frozen) == alone
    assert drawn(pool, batches_of(shop, 3), frozen) == alone
    assert drawn(pool, batches[::-1], frozen) == alone
    assert drawn(workers.Processes(3), batches, frozen) == alone


def test_workers_begin_before_anybody_asks_for_answers_and_step_behind_the_pages(pool):
    list(pool.each(sleep_and_tell, [0, 0]))  # warm
    begun = pool.each(sleep_and_tell, [0.2, 0.2, 0.2, 0.2])
    time.sleep(1)
    asked_at = time.monotonic()
    told = list(begun)
    assert time.monotonic() - asked_at < 0.6
    assert len({process for _, process, _ in told}) == 2
    assert os.getpid() not in {process for _, process, _ in told}
    assert {niceness for *_, niceness in told} == {os.nice(0) + workers.NICENESS}


def test_the_library_is_mapped_and_unpacked_once_by_each_worker(pool):
    shop = a_shop(40, days=400)
    frozen = training.Frozen.of(analogs.build_library(shop).dump())
    assert frozen.library.nbytes > workers.MAPPED_FROM_BYTES
    seen = list(pool.each(how_it_got_here, list(range(6)), frozen))
    assert {kind for kind, _, _ in seen} == {"memmap"}
    assert len({(process, unpacked) for _, process, unpacked in seen}) == len({p for _, p, _ in seen})


def how_it_got_here(_batch, frozen):
    return type(frozen.library).__name__, os.getpid(), id(frozen.pool())


def test_a_worker_that_is_killed_takes_its_batch_with_it_once(pool, tmp_path):
    batches = [(number, str(tmp_path), 1) for number in range(8)]
    assert list(pool.each(die_the_first_times, batches)) == list(range(8))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_worker_that_is_killed_again_is_a_failure_that_says_so(pool, tmp_path):
    batches = [(number, str(tmp_path), 9) for number in range(8)]
    answers = pool.each(die_the_first_times, batches)
    with pytest.raises(workers.WorkersFailed, match=r"again when .* tried anew.*TRAIN_WORKERS"):
        list(answers)
    assert list(pool.each(break_at_three, [1, 2])) == [1, 2]  # and the next ones work again


def test_an_error_of_the_work_comes_through_as_it_is(pool):
    with pytest.raises(ZeroDivisionError, match="three"):
        list(pool.each(break_at_three, [1, 2, 3, 4]))
    assert list(pool.each(break_at_three, [4, 5])) == [4, 5]


def test_a_batch_that_hangs_ends_the_training(pool, monkeypatch):
    monkeypatch.setattr(workers, "BATCH_LIMIT_SECONDS", 0.5)
    with pytest.raises(workers.WorkersFailed, match="its worker hangs"):
        list(pool.each(sleep_and_tell, [0, 30, 0]))


def test_few_products_are_drawn_in_this_process_and_the_number_of_processes_can_be_set(monkeypatch):
    with workers.crew(3) as crew:
        assert isinstance(crew, workers.Alone)
    monkeypatch.setenv("TRAIN_WORKERS", "3")
    with workers.crew(10**6) as crew:
        assert crew.words == "3 processes"
    monkeypatch.setenv("TRAIN_WORKERS", "1")
    with workers.crew(10**6) as crew:
        assert isinstance(crew, workers.Alone)


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", "²"])
def test_what_is_no_number_of_processes_is_refused(given, monkeypatch):
    monkeypatch.setenv("TRAIN_WORKERS", given)
    with pytest.raises(BadInput, match="no number of processes"), workers.crew(10**6):
        pass


def test_workers_do_not_outlive_a_training_that_was_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(psutil.pid_exists(pid) for pid in pids):
            assert time.monotonic() < deadline, "Workers are left over."
            time.sleep(0.1)
    finally:
        parent.kill()


PARENT = """
import time
from jobs import workers
from tests.jobs.test_training_workers import sleep_and_tell
pool = workers.Processes(2)
print(*{pid for _, pid, _ in pool.each(sleep_and_tell, [0.3] * 4)}, flush=True)
for _ in pool.each(sleep_and_tell, [300, 300]):
    pass
"""


def test_batches_hold_every_product_once_with_its_warehouses():
    whole = numbered(a_shop(5, days=60))
    by_place = replace(a_shop(4, days=60), ids=("0:1", "0:2", "10:1", "3:1"))
    first, second, third = training.batches(
        [0, 1, 3, 7, 10], [whole, None, by_place], {"3": {"crps": 1}}, {}, 2
    )
    assert [history.ids for history in first.histories] == [("0", "1"), ("0:1", "0:2")]
    assert [history.ids for history in second.histories] == [("3",), ("3:1",)]
    assert (second.silent, second.scores) == (("7",), {"3": {"crps": 1}})
    assert [history.ids for history in third.histories] == [("10:1",)]
    assert sum(batch.products for batch in (first, second, third)) == 5


def test_histories_of_different_length_become_one():
    long, short = a_shop(2, days=60), a_shop(2, days=40, seed=2)
    joined = training.together([long, short])
    assert joined.demand.shape == (4, 60)
    assert [series.days for series in joined] == [60, 60, 40, 40]
    assert np.array_equal(joined.series(3).demand, short.series(1).demand)
    assert training.together([]) is None


def test_a_worker_with_other_code_refuses_to_draw():
    mine = training.engine_version()
    assert training.same_engine(mine, break_at_three, 2) == 2
    with pytest.raises(training.OtherEngine, match="another version"):
        training.same_engine("older", break_at_three, 2)


def test_a_cluster_of_two_draws_the_same_and_its_loss_is_said(monkeypatch):
    from distributed import LocalCluster

    shop = a_shop(40, days=400)
    frozen = training.Frozen.of(analogs.build_library(shop).dump())
    batches = batches_of(shop, 7)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        with workers.crew(1000) as crew:
            assert crew.words == f"2 workers at {cluster.scheduler_address}"
            alone = drawn(workers.Alone(), batches, frozen)
            assert all(drawn(crew, batches, frozen) == alone for _ in range(2))
            # What is frozen went over once, and each worker unpacked it once.
            seen = list(crew.each(how_it_got_here, list(range(8)), frozen))
            assert len({(process, unpacked) for _, process, unpacked in seen}) == 2
            with pytest.raises(ZeroDivisionError, match="three"):
                list(crew.each(break_at_three, [1, 2, 3]))
            assert list(crew.each(break_at_three, [1, 2])) == [1, 2]
            lost = crew.each(sleep_and_tell, [30, 30, 30])
            cluster.close()
            with pytest.raises(workers.WorkersFailed, match="gave up in the middle"):
                list(lost)


def test_a_cluster_that_is_not_there_is_said_at_once_and_with_what_to_do(monkeypatch):
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1"):
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        with pytest.raises(workers.WorkersFailed, match=r"No Dask .*unset DASK"), workers.crew(1000):
            pass
        with workers.crew(3) as crew:  # a few products need nobody
            assert isinstance(crew, workers.Alone)


def test_a_cluster_without_workers_is_said(monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(workers, "CONNECT_SECONDS", 2)
    with LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        with pytest.raises(workers.WorkersFailed, match="has no workers"), workers.crew(1000):
            pass
