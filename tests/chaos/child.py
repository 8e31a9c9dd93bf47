"""A child process that hangs, dies or trains slowly: `python -m tests.chaos.child` for `jobs work`."""

import argparse
import os
import signal
import sys
import time

from jobs import work

PAUSE_SECONDS = 0.1


def hang(_claimed: work.Claim) -> None:
    time.sleep(600)


def die(_claimed: work.Claim) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(_claimed: work.Claim) -> None:
    os._exit(3)


def slow_down() -> None:
    """Let a small shop take seconds to train, so that a kill finds it at each step."""
    from core import model_runs, predictions
    from jobs import train

    def slowly(step):
        def stepping(*arguments):
            time.sleep(PAUSE_SECONDS / 2)
            answer = step(*arguments)
            time.sleep(PAUSE_SECONDS / 2)
            return answer

        return stepping

    train.BATCH = 1
    train.JUDGING_PAYS_FROM = 1  # worker processes, where TRAIN_WORKERS asks for them
    model_runs.keep = slowly(model_runs.keep)
    predictions.store = slowly(predictions.store)


if __name__ == "__main__":
    work.JOBS |= {"hang": hang, "die": die, "leave": leave}
    if "train" in sys.argv:
        slow_down()
    parser = argparse.ArgumentParser()
    work.add_arguments(parser)
    work.main(parser.parse_args())
