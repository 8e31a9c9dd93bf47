"""One caller sends what Schemathesis makes of the OpenAPI document, and counts what comes back."""

import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import (
    EngineFinished,
    FatalError,
    Interrupted,
    NonFatalError,
    PhaseFinished,
    ScenarioFinished,
)
from schemathesis.engine.run import PhaseSkipReason
from schemathesis.hooks import unregister_all

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
PHASES = ("examples", "coverage", "fuzzing", "stateful")
# What is made up is swapped for what there is three times of four: the rest shows what unknown ids do.
SWAPPED, OF = 3, 4
MOST_SHOWN = 20
SECONDS_PER_ANSWER = 30
SECONDS_TO_START = 120


@dataclass
class Outcome:
    """What a caller sent and found; `there`: how many operations there are, `phases`: the state of each that
    ran, `errors`: what broke the run."""

    caller: str
    there: int
    phases: dict[str, str] = field(default_factory=dict)
    cases: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.cases.values())

    @property
    def is_refused(self) -> bool:
        """Whether most of what was sent was sent by nobody: then little was tried."""
        return self.statuses[401] > self.total / 2

    @property
    def is_whole(self) -> bool:
        """Whether each phase came to its end."""
        return not self.errors and set(self.phases) >= set(PHASES) and "error" not in self.phases.values()


def run(
    caller: str,
    address: str,
    examples: int,
    seed: int,
    known: dict[str, list[Any]],
    token: Callable[[], str | None],
    only: Collection[str] | None = None,
) -> Outcome:
    """Send cases to every operation (or to these paths) in all phases.

    Args:
        examples: how many cases the phases that draw make of one operation.
        token: hands out a token that counts, or None for somebody without one.
    """
    schema = _schema(address, _config(examples, seed))
    if only is not None:
        schema = schema.include(path=list(only))
    mine, sent = {"token": token()}, itertools.count()

    def before_call(_context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001
        _lead_somewhere(case, known)
        # A key of idempotency that comes again hides what lies behind it: most requests come without.
        dropped = {"authorization"} | ({"idempotency-key"} if next(sent) % OF < SWAPPED else set())
        case.headers = {k: v for k, v in (case.headers or {}).items() if k.lower() not in dropped}
        if mine["token"]:
            case.headers["Authorization"] = f"Bearer {mine['token']}"

    outcome = Outcome(caller, there=schema.statistic.operations.selected)

    def after_call(_context: Any, case: Any, response: Any) -> None:  # noqa: ARG001
        outcome.statuses[response.status_code] += 1
        if response.status_code == 401 and mine["token"]:
            mine["token"] = token()  # logged out: the next one is somebody again

    schemathesis.hook(before_call)
    schemathesis.hook(after_call)
    try:
        for event in from_schema(schema).execute():
            _note(outcome, event)
    finally:
        unregister_all()
    return outcome


def document(address: str) -> dict[str, Any]:
    """The document of the API, as soon as it serves."""
    return _schema(address).raw_schema


def _schema(address: str, config: SchemathesisConfig | None = None) -> Any:
    return schemathesis.openapi.from_url(
        f"{address}/openapi.json", config=config, wait_for_schema=SECONDS_TO_START
    )


def _config(examples: int, seed: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "suppress-health-check": ["all"],
            "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
            "generation": {
                "max-examples": examples,
                "database": "none",
                "no-shrink": True,
                "with-security-parameters": False,
            },
            "request-timeout": SECONDS_PER_ANSWER,
        }
    )


def _note(outcome: Outcome, event: Any) -> None:
    if isinstance(event, ScenarioFinished):
        phase = event.phase.value
        for id_, node in event.recorder.cases.items():
            if id_ in event.recorder.interactions:
                outcome.cases[phase] += 1
                outcome.operations[node.value.operation.label] += 1
        for checks in event.recorder.checks.values():
            for check in checks:
                if check.failure_info is not None and len(outcome.failures) < MOST_SHOWN:
                    failure = check.failure_info.failure
                    name = f"{event.label}: {failure.title}"
                    outcome.failures.setdefault(name, f"{failure.message} {check.failure_info.code_sample}")
    elif isinstance(event, PhaseFinished):
        if event.phase.name.value in PHASES:
            skipped = event.status == Status.SKIP and event.phase.skip_reason
            is_empty = skipped in (PhaseSkipReason.NOT_APPLICABLE, PhaseSkipReason.NOTHING_TO_TEST)
            outcome.phases[event.phase.name.value] = "nothing to do" if is_empty else event.status.value
    elif isinstance(event, NonFatalError):
        outcome.errors.append(f"{event.phase}: {event.label}: {event.info.title}: {event.info.message}")
    elif isinstance(event, FatalError):
        outcome.errors.append(f"{type(event.exception).__name__}: {event.exception}")
    elif isinstance(event, Interrupted):
        outcome.errors.append("interrupted")
    elif isinstance(event, EngineFinished) and event.stop_reason.value != "completed":
        outcome.errors.append(f"ended early: {event.stop_reason.value}")


# -- Ids that lead somewhere ---------------------------------------------------------------------------------


def _lead_somewhere(case: Any, known: dict[str, list[Any]]) -> None:
    for part in (case.path_parameters, case.query, case.body):
        _swap(part, known)


def _swap(part: Any, known: dict[str, list[Any]]) -> None:
    """Put an id that there is in the place of a well-formed one that nothing has."""
    if isinstance(part, list):
        for inner in part:
            _swap(inner, known)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        there = known.get(name.removeprefix("to_").replace("item_id", "product_id"))
        if there and _is_like(value, there[0]):
            drawn = crc32(str(value).encode())  # by the value, so that the same run is the same again
            if drawn % OF < SWAPPED:
                part[name] = there[drawn % len(there)]
        else:
            _swap(value, known)


def _is_like(value: Any, one: str | int) -> bool:
    if isinstance(one, int):
        return type(value) is int and value > 0
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False
