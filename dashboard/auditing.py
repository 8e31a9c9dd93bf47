"""Lines of the audit in words: what was done to what, and the values before and after."""

import json
from typing import Any

import pandas as pd

from core.audit_trail import Line
from dashboard import ui
from dashboard.formats import NOTHING

NOBODY = "Nobody"
LONGEST_VALUE = 200


def who(line: Line) -> str:
    """Who did it, and in brackets the API key of the machine that did it for them."""
    named = line.person or NOBODY
    return f"{named} ({line.api_key})" if line.api_key else named


def what(line: Line) -> str:
    """Edited product M6; Changed the role of Ada; Signed in, where it is about oneself."""
    if line.is_own:
        said = line.action.removesuffix(" of").removesuffix(" for")
    else:
        noun = "" if line.subject_type == "person" and line.subject else _noun(line.subject_type)
        said = " ".join(part for part in (line.action, noun, line.subject) if part)
    return said[:1].upper() + said[1:]


def changes(line: Line) -> list[str]:
    """One sentence a value: role: viewer → admin. What stayed the same is left out."""
    before, after = line.before or {}, line.after or {}
    told = []
    for name in [*before, *(name for name in after if name not in before)]:
        label = _noun(name.removeprefix("is_"))
        if name in before and name in after:
            if before[name] != after[name]:
                told.append(f"{label}: {value(before[name])} → {value(after[name])}")
        else:
            told.append(f"{label}: {value(before.get(name, after.get(name)))}")
    return told


def value(given: Any) -> str:
    """A value as people read it."""
    if given is None or given == "" or given == []:
        return NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        given = ", ".join(given)
    said = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return said if len(said) <= LONGEST_VALUE else f"{said[:LONGEST_VALUE]}…"


def _noun(word: str) -> str:
    return word.replace("_", " ")


def in_words(line: Line) -> str:
    """One line as Markdown, for its drawer."""
    parts = [
        f"**{ui.safe_md(what(line))}**",
        ui.safe_md(f"{who(line)}, {ui.formats().moment(line.at)}"),
        *(ui.safe_md(change) for change in changes(line)),
        f":gray[Line {line.id}, {ui.safe_md(_noun(line.subject_type))} {ui.safe_md(line.subject_id)}]",
    ]
    if line.request_id:
        parts.append(f":gray[Request {ui.safe_md(line.request_id)}]")
    return "  \n".join(parts)


def for_download(lines: list[Line]) -> pd.DataFrame:
    """The lines as a spreadsheet wants them."""
    return pd.DataFrame(
        {
            "Line": [line.id for line in lines],
            "At (UTC)": [line.at.strftime("%Y-%m-%d %H:%M:%S") for line in lines],
            "Person": [line.person or NOBODY for line in lines],
            "API key": [line.api_key or "" for line in lines],
            "Action": [line.action for line in lines],
            "Subject": [_noun(line.subject_type) for line in lines],
            "Name": [line.subject for line in lines],
            "Subject id": [line.subject_id for line in lines],
            "Before and after": ["; ".join(changes(line)) for line in lines],
            "Request": [line.request_id or "" for line in lines],
        }
    )
