"""What the log holds, and what it never holds."""

import json
import logging

import pytest

from core import audit, logs


@pytest.fixture
def _quiet_after():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.usefixtures("_quiet_after")
def test_production_writes_one_json_object_a_line_with_the_request(capsys):
    logs.configure("api", as_json=True)
    token = audit.request_id.set("7f3a")
    try:
        raise ValueError("no such shelf")
    except ValueError:
        logging.getLogger("runout.api").exception(
            "A request failed", extra={"path": "/products", "status": 500}
        )
    finally:
        audit.request_id.reset(token)
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said["request_id"] == "7f3a"
    assert (said["process"], said["level"], said["logger"]) == ("api", "ERROR", "runout.api")
    assert (said["path"], said["status"]) == ("/products", 500)
    assert "no such shelf" in said["exc_info"]


@pytest.mark.parametrize(
    "line",
    [
        "could not connect to postgresql://runout_app:hunter2hunter2@db/shop",
        "Authorization: Bearer hunter2hunter2.abc.def",
        'body {"password": "hunter2hunter2"}',
        "refresh_token=hunter2hunter2",
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.usefixtures("_quiet_after")
def test_secrets_do_not_reach_the_log(capsys, line, as_json):
    logs.configure("api", as_json=as_json)
    logging.getLogger("anything").error(line)
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.usefixtures("_quiet_after")
def test_a_server_that_brings_its_own_handlers_writes_as_we_do(capsys):
    brought = logging.getLogger("uvicorn.error")
    brought.addHandler(logging.StreamHandler())
    brought.propagate = False
    brought.setLevel(logging.INFO)  # as the server does; other tests start quieter ones
    logs.configure("api", as_json=True)
    brought.info("Application startup complete.")
    assert json.loads(capsys.readouterr().err)["message"] == "Application startup complete."
