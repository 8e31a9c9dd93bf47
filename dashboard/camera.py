"""The live camera of the scan view: the picture with its aim band, and the codes that were read.

`draw` once a run, outside any fragment; `codes` and `is_playing` from wherever the view needs them.
"""

from uuid import UUID


def draw(key: str, *, counting: bool = False) -> None:
    """The camera's panel: button, picture, choice of camera, or why there is none and what to do.

    `counting`: the same code counts again as soon as it was out of sight (see `core.scanning.sightings`).
    """
    raise NotImplementedError


def codes(key: str) -> list[tuple[UUID, str, str]]:
    """What was read since the last call, oldest first: (id of this reading, text, symbology).

    Touches nothing of Streamlit's, so that a run that is being replaced loses none of them.
    """
    return []


def is_playing(key: str) -> bool:
    """Whether the camera is on or about to be: as long as it is, the view asks for `codes` now and then."""
    return False
