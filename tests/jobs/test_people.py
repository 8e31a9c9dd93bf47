"""The first account of an empty shop."""

import io

import pytest

from core import auth
from db.session import reading
from jobs.__main__ import main


@pytest.mark.usefixtures("clone")
def test_create_admin_makes_somebody_who_can_do_everything(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["create-admin", "Me@Shop.example", "--name", "Me", "--password-stdin"]) == 0
    assert "can sign in" in capsys.readouterr().out
    with reading() as session:
        (person,) = auth.listing(session)
    assert (person.email, person.role) == ("me@shop.example", "admin")


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize(
    ("email", "password", "why"),
    [("me@shop.example", "short", "too short"), ("nonsense", "correct horse", "not an e-mail")],
)
def test_a_refusal_is_one_sentence_and_an_exit_code(monkeypatch, capsys, email, password, why):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    assert main(["create-admin", email, "--password-stdin"]) == 1
    assert why in capsys.readouterr().err
    with reading() as session:
        assert auth.listing(session) == []
