"""Text that a spreadsheet would take for a formula: marked when a file leaves, unmarked when it comes back.

The mark is an apostrophe in front (OWASP ASVS 5.0, 1.2.10); text that begins with apostrophes before such a
sign gets one more, so that nothing is lost on the way back.
"""

import re

MARK = "'"
# = + - @ and their full-width twins, also behind spaces, which some programs drop; tab and carriage return;
# | and %, with which others begin a command.
_BEGINS = r"(?:[\t\r]|\s*[=+\-@|%＝＋－＠])"
_DANGEROUS = re.compile(rf"{MARK}*{_BEGINS}")
_MARKED = re.compile(rf"{MARK}+{_BEGINS}")


def marked(text: str) -> str:
    """The text as a cell that stays text."""
    return MARK + text if _DANGEROUS.match(text) else text


def unmarked(text: str) -> str:
    """The text as it was before `marked`."""
    return text[1:] if text.startswith(MARK) and _MARKED.match(text) else text
