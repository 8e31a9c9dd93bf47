"""No cost, lead time or service level stands in the code of buying: all come from rows that people change."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(
    [
        *ROOT.glob("core/reorder/*.py"),
        *ROOT.glob("core/buying/advice*.py"),
        *(ROOT / "core/buying" / name for name in ("comparison.py", "basket.py", "drafts.py", "supply.py")),
    ]
)
ABOUT = re.compile(
    r"cost|price|freight|margin|holding|shortage|lead_|_lead|leads?$|service|cover|review|budget|transfer|"
    r"goal|target|penalty",
    re.IGNORECASE,
)
# What sounds like one and is none, by name; the list only grows on purpose.
ARE_NONE = {
    "LEAD_SCENARIOS",  # how many lead times stand for their distribution
}


def literal(node: ast.expr | None) -> bool:
    """Whether it is a number other than 0 and 1, or a Decimal of one, or a row of them."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Decimal":
        return any(isinstance(one, ast.Constant) and one.value not in (0, 1, "0", "1") for one in node.args)
    if isinstance(node, ast.Tuple | ast.List):
        return any(literal(one) for one in node.elts)
    if isinstance(node, ast.UnaryOp):
        return literal(node.operand)
    if isinstance(node, ast.BinOp):
        return literal(node.left) and literal(node.right)
    is_number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return is_number and not isinstance(node.value, bool) and node.value not in (0, 1)


def named(tree: ast.AST):
    """Every name that is given a value: assigned, as a default or as an argument of a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((ast.unparse(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            yield ast.unparse(node.target), node.value
        elif isinstance(node, ast.keyword):
            yield node.arg or "", node.value
        elif isinstance(node, ast.arguments):
            given = [*node.posonlyargs, *node.args][::-1]
            yield from ((arg.arg, value) for arg, value in zip(given, node.defaults[::-1], strict=False))
            yield from (
                (arg.arg, value)
                for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
                if value
            )
        elif isinstance(node, ast.Compare):
            yield ast.unparse(node.left), next((one for one in node.comparators if literal(one)), None)


def found(source: str) -> list[str]:
    return [
        name
        for name, value in named(ast.parse(source))
        if ABOUT.search(name) and literal(value) and name not in ARE_NONE and "len(" not in name
        and ".ndim" not in name and ".shape" not in name
    ]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_cost_lead_time_or_service_level_is_a_constant(path):
    assert found(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "HOLDING = 0.2", "order_cost = Decimal('6')", "def f(lead_time_days=7): ...", "f(service=0.95)",
        "def f(*, review_days: int = 7): ...", "lead_days: int = 14", "if service < 0.9: ...",
        "SERVICE_LEVELS = (0.9, 0.95)",
    ],
)  # fmt: skip
def test_the_rule_bites(source):
    assert found(source) != []
