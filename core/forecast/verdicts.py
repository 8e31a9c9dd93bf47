"""What a training's back-test found out about the methods, as it is kept and read (`model_run.report`)."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class MemberScore:
    """How one method did on the past of this shop.

    `crps` (days, smaller is better), `skill` against the simple rule, `coverage` of the 80 % range,
    `brier_14` of "runs out within 14 days" and `bias` (days, above 0 promises too long) are over its own
    tasks, as `sample` says. `against_pool` compares with the pool on the very same tasks (0.12: 12 % worse,
    `against_error` its standard error), and `comparable_crps` is what that makes on the pool's tasks: rows
    can be ordered by it. Figures are None where there was nothing to judge. `failed`: products on which it
    gave no answer.
    """

    name: str
    title: str
    tasks: int
    products: int
    crps: float | None
    skill: float | None
    coverage: float | None
    brier_14: float | None
    bias: float | None
    ms_per_product: float | None
    against_pool: float | None
    against_error: float | None
    comparable_crps: float | None
    failed: int
    is_default: bool
    admitted: bool
    reason: str
    sample: str


@dataclass(frozen=True)
class Report:
    """The methods, best first, and how far the pool's promises held.

    `calibration`: `{level, share, tasks}`, the share of tasks whose stock was used up by that quantile;
    `reliability`: `{chance, happened, tasks}` of "runs out within 14 days"; `sample`: how many products and
    tasks; `origins`: the days on which forecasts were pretended, as ISO dates.
    """

    members: tuple[MemberScore, ...] = ()
    calibration: tuple[dict[str, Any], ...] = ()
    reliability: tuple[dict[str, Any], ...] = ()
    sample: dict[str, Any] = field(default_factory=dict)
    origins: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: dict[str, Any] | None) -> "Report":
        """The report as it was kept; an empty one for None. What later versions add is not looked at."""
        kept = kept or {}
        known = {one.name for one in fields(MemberScore)}
        return cls(
            tuple(
                MemberScore(**dict.fromkeys(known) | {key: row[key] for key in known & row.keys()})
                for row in kept.get("members", ())
            ),
            tuple(kept.get("calibration", ())),
            tuple(kept.get("reliability", ())),
            dict(kept.get("sample", {})),
            tuple(kept.get("origins", ())),
        )

    def plain(self) -> dict[str, Any]:
        """The report as plain numbers and words, to be kept as JSON."""
        return {
            "members": [asdict(member) for member in self.members],
            "calibration": list(self.calibration),
            "reliability": list(self.reliability),
            "sample": self.sample,
            "origins": list(self.origins),
        }

    @property
    def line_up(self) -> tuple[str, ...] | None:
        """Names of the members that draw, when this shop's past changed them; None: the default stands."""
        drawing = [member for member in self.members if member.admitted]
        if not drawing or all(member.admitted == member.is_default for member in self.members):
            return None
        return tuple(member.name for member in sorted(drawing, key=lambda one: not one.is_default))

    def of_member(self, name: str) -> MemberScore | None:
        return next((member for member in self.members if member.name == name), None)
