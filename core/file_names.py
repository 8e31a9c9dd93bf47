"""Names of files that leave the house: what a browser and every system can save, and how a header says it."""

import re
import unicodedata
from urllib.parse import quote

MOST_CHARACTERS = 100
# What no file name may hold on some system, and what turns the direction of a name round.
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe(name: str, otherwise: str = "runout") -> str:
    """The name without what a system refuses or a path needs; `otherwise` where nothing is left of it."""
    kept = FORBIDDEN.sub(" ", name.encode("utf-8", "ignore").decode())
    kept = "-".join(kept.split()).strip(".-")
    stem, dot, ending = kept.rpartition(".")
    kept = f"{stem[: MOST_CHARACTERS - len(ending)]}.{ending}" if dot and len(ending) < 10 else kept
    kept = kept[: MOST_CHARACTERS + 1].strip(".-")
    return otherwise if not kept or RESERVED.match(kept) else kept


def content_disposition(name: str) -> str:
    """The header with which a browser saves an answer under this name (RFC 6266 with RFC 8187)."""
    name = safe(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]", "", plain).strip(".-") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
