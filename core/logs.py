"""One way to log for all processes: readable lines while developing, one JSON object a line in production.

Every line carries the id of the request, page run or job run it belongs to. Values of secrets never stay in.
"""

import logging
import re
from datetime import UTC, datetime
from typing import Any

from core.audit import request_id

# A password inside an address, and what signs somebody in.
SECRETS = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), r"\1:***@"),
    (re.compile(r"""(?i)((?:password|token|secret|authorization)\\?["']?\s*[:=]\s*\\?["']?(?:bearer\s+)?|bearer\s+)"""
                r"[\w.~+/=-]{8,}"), r"\1***"),
    # An API key, wherever somebody put it.
    (re.compile(r"runout_[\w-]{40,}"), "runout_***"),
    # A one-time link to choose a password, as it arrives.
    (re.compile(r"([?&]link=)[^\s&\"']+"), r"\1***"),
)  # fmt: skip
READABLE = "%(asctime)s %(levelname)-7s %(name)s%(mark)s: %(message)s"


def configure(process: str, *, as_json: bool, level: int = logging.INFO) -> None:
    """Send what all loggers say to standard error; called once by each process.

    Args:
        process: its name in the lines: dashboard, api, scheduler, worker.
        as_json: one JSON object a line, for machines.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_json(process) if as_json else Readable(READABLE))
    handler.addFilter(_mark)
    # Servers bring handlers of their own: their lines come the same way as ours.
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if logger.handlers:  # one without is silent on purpose, or ours already
            logger.handlers[:], logger.propagate = [], True
    root = logging.getLogger()
    root.handlers[:] = [kept for kept in root.handlers if type(kept) is not logging.StreamHandler] + [handler]
    root.setLevel(level)


def without_secrets(line: str) -> str:
    """The line with passwords and tokens taken out."""
    for pattern, instead in SECRETS:
        line = pattern.sub(instead, line)
    return line


class Readable(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def _mark(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    record.mark = f" [{record.request_id}]" if record.request_id else ""
    return True


def _json(process: str) -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    class Json(JsonFormatter):
        """One object a line: time, level, logger, process, request_id, message and what `extra` brought."""

        def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict) -> None:
            super().add_fields(log_data, record, message_dict)
            log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
            log_data["process"] = process
            log_data.pop("mark", None)

        def format(self, record: logging.LogRecord) -> str:
            return without_secrets(super().format(record))

    return Json("%(message)s %(levelname)s %(name)s", rename_fields={"levelname": "level", "name": "logger"})
