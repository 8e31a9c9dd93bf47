"""The files for a server say what the documents promise."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
CADDYFILE = COMPOSE["configs"]["caddyfile"]["content"]


def test_only_the_proxy_can_be_reached_from_outside():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


@pytest.mark.parametrize("name", ["dashboard", "api", "scheduler"])
def test_each_process_runs_as_production_without_more_rights_than_it_needs(name):
    service = SERVICES[name]
    assert service["environment"]["APP_ENV"] == "production"
    assert "DATABASE_OWNER_URL" not in service["environment"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_three_commands_are_commands_of_the_house():
    from jobs.__main__ import COMMANDS

    for name in ("dashboard", "api", "scheduler"):
        python, dash_m, room, command, *_ = SERVICES[name]["command"]
        assert (python, dash_m, room) == ("python", "-m", "jobs")
        assert command in COMMANDS


def test_no_secret_stands_in_the_file():
    given = re.findall(r"(?:PASSWORD|SECRET_KEY): (.+)", (ROOT / "compose.yaml").read_text())
    assert given
    assert all(value.startswith("${") for value in given)


def test_files_and_uploads_pass_only_for_people_who_are_signed_in():
    files = CADDYFILE[CADDYFILE.index("@files") :]
    assert re.search(r"path /_stcore/upload_file/\* /media/\*", files)
    assert files.index("forward_auth") < files.index("reverse_proxy")
    assert "/api/v1/auth/browser" in files


def test_every_copied_folder_exists_and_the_image_runs_as_nobody_special():
    said = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", said, re.MULTILINE):
        assert all((ROOT / name).exists() for name in line.split()), line
    assert said.index("\nUSER runout") < said.index("\nCMD")


@pytest.mark.parametrize("name", ["train", "serve"])
def test_sagemaker_finds_its_two_commands_in_the_image(name):
    said = (ROOT / "Dockerfile").read_text()
    assert re.search(rf"ln -s .*/app/jobs/sagemaker/{name}\b.* /usr/local/bin/", said)
    command = ROOT / "jobs" / "sagemaker" / name
    assert command.stat().st_mode & 0o111
    assert " exec python -m " in command.read_text()  # signals reach Python, not a shell
