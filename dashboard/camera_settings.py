"""What whoever runs the server may say about cameras: helpers of their connections, and how many at once."""

import json
import os
from collections.abc import Mapping
from typing import Any

# Measured (bench/camera.py): what one camera takes of a core, with its decoding, its picture and its page.
SHARE_OF_A_CORE = 0.33
# What is left for everybody's pages.
CORES_FOR_PAGES = 0.6
MOST = 100
SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


def most_cameras(environment: Mapping[str, str], cores: int | None = None) -> int:
    """How many cameras may run at once: CAMERA_SESSIONS, else what the machine's cores can read."""
    said = (environment.get("CAMERA_SESSIONS") or "").strip()
    if said.isascii() and said.isdigit() and int(said) <= MOST:
        return int(said)
    free = (cores or os.cpu_count() or 1) - CORES_FOR_PAGES
    return max(1, int(free / SHARE_OF_A_CORE))


def ice_servers(environment: Mapping[str, str]) -> tuple[list[dict[str, Any]], str | None]:
    """The STUN and TURN servers of ICE_SERVERS, and what is wrong with it.

    Addresses with commas, or a JSON list of {"urls", "username", "credential"}. Without any, browser and
    server reach each other directly, and nobody else hears of it.
    """
    said = (environment.get("ICE_SERVERS") or "").strip()
    if not said:
        return [], None
    try:
        if said.startswith(("[", "{")):
            given = json.loads(said)
            found = [_server(entry) for entry in (given if isinstance(given, list) else [given])]
        else:
            found = [_server(address.strip()) for address in said.split(",") if address.strip()]
    except (ValueError, RecursionError):
        return [], (
            "ICE_SERVERS is neither addresses with commas (stun:stun.example.com:3478) nor JSON such as "
            '[{"urls": "turn:turn.example.com:3478", "username": "...", "credential": "..."}]: '
            "cameras connect without it until it is corrected."
        )
    return found, None


def _server(entry: Any) -> dict[str, Any]:
    """One server as browsers know it; ValueError for anything else."""
    if isinstance(entry, str):
        entry = {"urls": entry}
    if not isinstance(entry, dict):
        raise ValueError("not a server")
    urls = entry.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not urls:
        raise ValueError("no address")
    if not all(isinstance(url, str) and url.startswith(SCHEMES) for url in urls):
        raise ValueError("not an address")
    server: dict[str, Any] = {"urls": urls}
    for word in ("username", "credential"):
        if isinstance(entry.get(word), str):
            server[word] = entry[word]
    return server
