"""Who may import whom, what may be drawn where: the house's rules, read from the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("core", "db", "dashboard", "api", "jobs")

# Which of our own rooms a room may import; anything else of ours is a broken rule.
MAY_IMPORT = {
    "db": {"db"},
    "core": {"core", "db"},
    "dashboard": {"dashboard", "core", "db.session"},
    "api": {"api", "core", "db.session"},
    "jobs": {"jobs", "core", "db.session"},
}
# Libraries that belong to one place.
ONLY_IN = {
    "streamlit": ("dashboard/",),
    "streamlit_authenticator": ("dashboard/",),
    "fastapi": ("api/",),
    "apscheduler": ("jobs/",),
    "honcho": ("jobs/",),
    "plotly": ("dashboard/charts/",),
    "alembic": ("db/",),
    "prophet": ("core/forecast/",),
    "statsforecast": ("core/forecast/",),
    "sklearn": ("core/anomaly/",),
    "lightgbm": ("core/anomaly/",),
    "boto3": ("core/doctor/",),
    "botocore": ("core/doctor/",),
    "pybreaker": ("core/doctor/",),
    "pyzbar": ("core/scanning/readers.py",),
    "zxingcpp": ("core/scanning/readers.py",),
}
# Modules of core that take numbers and frames: no session, no clock, no SQLAlchemy, nothing from db.
ARITHMETIC = (
    "core/anomaly/",
    "core/forecast/",
    "core/triage.py",
    "core/alert_odd.py",
    "core/alert_rules.py",
    "core/ledger_words.py",
    "core/imports/sales_lines.py",
    "core/imports/sales_history.py",
    "core/imports/sales_booking.py",
    "core/imports/table_",
    "core/barcodes.py",
    "core/scanning/decoding.py",
    "core/scanning/gs1.py",
    "core/scanning/looks.py",
    "core/scanning/picture",
    "core/scanning/readers.py",
    "core/scanning/reading.py",
    "core/scanning/witnesses.py",
    "core/labels/designs.py",
    "core/labels/lettering.py",
    "core/labels/papers.py",
    "core/labels/proofs.py",
    "core/labels/sheets.py",
    "core/labels/symbols.py",
    "core/reorder/",
    "core/anomaly.py",
    "dashboard/charts/",
)


def files(*rooms):
    return [p for room in rooms for p in sorted((ROOT / room).rglob("*.py")) if "__pycache__" not in p.parts]


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def imports(path):
    """Every imported name with its line: `from db import session` is `db.session`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def called(call):
    """`sa.text` of `sa.text(...)`; nothing where no plain name is called. Far faster than to unparse it."""
    names, at = [], call.func
    while isinstance(at, ast.Attribute):
        names.append(at.attr)
        at = at.value
    return ".".join([at.id, *reversed(names)]) if isinstance(at, ast.Name) else ""


def broken(path):
    """Sentences about the imports of a file that break a rule."""
    name = name_of(path)
    room = name.split("/")[0]
    for imported, line in imports(path):
        where = f"{name}:{line} imports {imported}"
        top = imported.split(".")[0]
        if top in ROOMS:
            allowed = any(
                imported == own or imported.startswith(f"{own}.") for own in MAY_IMPORT.get(room, set())
            )
            if not allowed:
                yield f"{where}: {room} may import {', '.join(sorted(MAY_IMPORT[room]))}"
        if top in ONLY_IN and not name.startswith(ONLY_IN[top]):
            yield f"{where}: {top} belongs in {', '.join(ONLY_IN[top])}"
        if name.startswith(ARITHMETIC) and (top in ("sqlalchemy", "db", "psycopg2")):
            yield f"{where}: this module is arithmetic"


@pytest.mark.parametrize("path", files(*ROOMS), ids=name_of)
def test_imports_only_what_its_room_may(path):
    assert list(broken(path)) == []


def test_the_rule_bites(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    bad = tmp_path / "core" / "reorder" / "levels.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("import streamlit\nfrom db.models import Product\nfrom jobs import train\n")
    assert len(list(broken(bad))) == 3


@pytest.mark.parametrize("path", files("dashboard"), ids=name_of)
def test_nothing_is_drawn_inside_a_transaction(path):
    """Streamlit ends a script at the next `st.` call when the user clicks: the write would be rolled back."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.With):
            continue
        opened = " ".join(ast.unparse(item.context_expr) for item in node.items)
        if "transaction(" in opened or "reading(" in opened:
            drawn = [
                call.lineno
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and ast.unparse(call.func).startswith(("st.", "ui."))
                and not ast.unparse(call.func).startswith("st.session_state")
            ]  # fmt: skip
            assert drawn == [], f"{name_of(path)} draws inside a transaction in lines {drawn}"


def test_the_views_folder_is_never_called_pages():
    """Streamlit would serve `pages/` to the first visitor without running app.py, so without sign-in."""
    assert not (ROOT / "dashboard" / "pages").exists()


def test_core_never_commits_and_never_asks_the_environment():
    for path in files("core"):
        text = path.read_text()
        assert not re.search(r"\.(commit|rollback)\(\)", text), name_of(path)
        # Handing the environment on to a child process is not asking it.
        assert not re.search(r"environ(\.get)?[\[(]|getenv\(", text), name_of(path)


def test_no_raw_html_and_no_pickle():
    """Stored text shown as HTML is how a cookie is stolen; a pickle from a table is code."""
    for path in files(*ROOMS):
        text = path.read_text()
        assert "unsafe_allow_html" not in text, name_of(path)
        assert "components.html" not in text, name_of(path)
        assert not re.search(r"\bpickle\.loads?\(|joblib\.load\(|read_pickle\(", text), name_of(path)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and called(node) in ("st.html", "st.iframe"):
                (argument, *_) = node.args
                is_constant = isinstance(argument, ast.Constant | ast.Name | ast.Attribute)
                assert is_constant, f"{name_of(path)}:{node.lineno} puts computed text into HTML"


def test_sql_never_holds_values():
    """`text()` gets a constant: values are bound, so a name cannot become a statement."""
    for path in files("core", "dashboard", "api", "jobs"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in ("text", "sa.text"):
                assert isinstance(node.args[0], ast.Constant), f"{name_of(path)}:{node.lineno}"


def test_no_drawers_for_everything():
    for room in ROOMS:
        for name in ("utils", "helpers", "common", "services", "managers"):
            assert not (ROOT / room / name).exists()
            assert not (ROOT / room / f"{name}.py").exists()


def test_the_top_level_is_the_agreed_one():
    agreed = {
        "dashboard", "core", "jobs", "db", "tests", "api", "bench", "docs", ".streamlit", ".ci",
        "README.md", "STYLE.md", "CHANGELOG.md", "Makefile", "requirements.txt", "pyproject.toml",
        "alembic.ini", "Dockerfile", "compose.yaml", "Procfile", ".env.example", ".gitignore",
    }  # fmt: skip
    import subprocess

    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert {name.split("/")[0] for name in tracked} <= agreed
