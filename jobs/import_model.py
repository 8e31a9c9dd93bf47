"""`python -m jobs import-model`: a model that was trained elsewhere becomes the one that judges here."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from core import auth, shop
from core.anomaly.detector import Detector
from core.doctor import ledger_lines, model_archive, model_store
from db.session import reading, transact

LONG = 600  # seconds one statement may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("file", type=Path, help="the model.tar.gz that SageMaker wrote")


def main(args: argparse.Namespace) -> int:
    """Check the files, name the clusters by the movements here, publish; refusals change nothing."""
    detector, now = Detector.from_files(model_archive.of_archive(args.file)), datetime.now(UTC)
    with reading(LONG) as session:
        today = shop.today(shop.get(session), now)
        sheet = ledger_lines.training(session, today)
    if len(sheet.lines):
        detector = detector.named(sheet.lines, sheet.shelf)
    files = detector.files()

    def publish(session: Session) -> None:
        model_id = model_store.begin(session, auth.system_actor(session).id, now)
        model_store.publish(session, model_id, files, sheet.until_id, now, today)

    transact(publish, LONG)
    print(f"{args.file.name} judges movements from now on (learned from {detector.manifest['rows']:,} rows).")
    return 0
