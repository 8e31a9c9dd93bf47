"""What there is a right to, who has it at least, and how a refusal speaks of it."""

# Weakest role that has the right.
RIGHTS = {
    "read": "viewer",
    "move stock": "user",
    "edit catalogue": "manager",
    "import": "manager",
    "train": "manager",
    "edit forecast": "manager",
    "buy": "manager",
    "acknowledge alerts": "user",
    "manage alerts": "manager",
    "delete catalogue": "admin",
    "see audit": "admin",
    "see jobs": "admin",
    "manage people": "admin",
    "manage keys": "admin",
}

# Where a right's own name is no English sentence's end.
_SPOKEN = {
    "edit catalogue": "edit the catalogue",
    "delete catalogue": "delete from the catalogue",
    "edit forecast": "edit forecasts",
    "import": "import files",
    "train": "train forecasts",
    "see audit": "see the audit log",
    "see jobs": "see the jobs",
}


def spoken(right: str) -> str:
    """The right as it ends a sentence: "You may not ..."."""
    return _SPOKEN.get(right, right)
