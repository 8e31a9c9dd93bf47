"""Commands of the shop: `python -m jobs train`, `create-admin`, `import-sales`, `run` (everything), more."""

import argparse
import importlib
import sys

from core.errors import RunoutError
from db.session import ServerError

# Each command's module offers add_arguments(parser) and main(arguments) -> exit code.
COMMANDS = {
    "run": ("jobs.run", "start everything, as `make run` does"),
    "serve": ("jobs.serve", "check what production asks for and become the dashboard or the API"),
    "schedule": ("jobs.scheduler", "ask for runs when they are due and do them, until stopped"),
    "work": ("jobs.work", "do one claimed run (the scheduler calls this)"),
    "train": ("jobs.train", "train the forecasts of all products and publish them"),
    "train-anomalies": ("jobs.anomalies", "learn what movements are usual, and look for odd ones"),
    "create-admin": ("jobs.people", "make an account that may do everything"),
    "export-features": (
        "jobs.export_features",
        "write the features of all movements, to learn elsewhere from",
    ),
    "sagemaker-train": ("jobs.sagemaker_train", "learn from such an export, in SageMaker's folders"),
    "import-model": ("jobs.import_model", "let a model that was trained elsewhere judge movements here"),
    "import-sales": ("jobs.import_sales", "bring in sales lines from a CSV or XLSX file"),
}


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m jobs", description=__doc__)
    choices = parser.add_subparsers(dest="command", required=True, metavar="command")
    # Only the chosen command's module is imported: training brings in much that others do not need.
    chosen = next((word for word in given if word in COMMANDS), None)
    for name, (module, sentence) in COMMANDS.items():
        command = choices.add_parser(name, help=sentence, description=sentence)
        if name == chosen:
            work = importlib.import_module(module)
            work.add_arguments(command)
            command.set_defaults(work=work.main)
    arguments = parser.parse_args(given)
    try:
        return arguments.work(arguments)
    except (RunoutError, ServerError) as refusal:
        print(refusal, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
