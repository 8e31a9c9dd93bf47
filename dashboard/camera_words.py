"""Why there is no live camera, and what helps: one panel for each reason, in the shop's words."""

from dataclasses import dataclass

OTHERWISE = "A photo, a hand scanner and typing work all the same."


@dataclass(frozen=True)
class Panel:
    """What is wrong, and what to do; both as plain text."""

    cause: str
    cure: str


PANELS = {
    "insecure": Panel(
        "The camera needs a secure address.",
        "Browsers lend a camera only to pages that were opened over https:// or on the same computer. Open "
        "Runout at its https:// address; the recipe for servers tells how it gets one.",
    ),
    "denied": Panel(
        "The browser may not use the camera here.",
        "Open the settings of this page at the left end of the address line, set Camera to Allow, and try "
        "again. If the camera is not in the list, the device keeps it from the browser: allow it in the "
        "settings of the device.",
    ),
    "none": Panel(
        "No camera was found.",
        "Plug one in or switch it on, then try again. A remote desktop has to pass the camera on.",
    ),
    "busy": Panel(
        "The camera is in use by another program.",
        "Close the video call, the other tab or the program that has it, then try again.",
    ),
    "unsupported": Panel(
        "This browser has no way to the camera.",
        "Open Runout in a current Chrome, Edge, Firefox or Safari.",
    ),
    "connection": Panel(
        "The camera's picture did not reach the server.",
        "Try again. If it stays so, the network lets no video through: whoever runs the server can name a "
        "TURN server in ICE_SERVERS.",
    ),
    "other": Panel(
        "The camera did not start.",
        "Try again; if it stays so, close the browser and open it anew.",
    ),
}


def full(most: int) -> Panel:
    """All cameras that this server can read are in use, or it was told to read none."""
    if most == 0:
        return Panel(
            "The live camera is switched off on this server.",
            "Whoever runs the server can switch it on with CAMERA_SESSIONS.",
        )
    cause = "All cameras that this server can read at once are in use."
    if most == 1:
        cause = "The one camera that this server can read at a time is in use."
    return Panel(cause, "Yours begins by itself as soon as somebody stops theirs.")
