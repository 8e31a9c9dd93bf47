"""Everything the shop can refuse: one sentence with the figures, and the HTTP status it has at a door."""


class RunoutError(Exception):
    """A refusal. Views show the sentence in red, the API answers with `status`; nothing was changed."""

    status = 400

    def __init__(self, sentence: str, **facts: object):
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts


class NotSignedIn(RunoutError):
    """Nobody is signed in, or no longer."""

    status = 401

    def __init__(self, sentence: str = "Your sign-in has ended. Sign in again."):
        super().__init__(sentence)


class NotAllowed(RunoutError):
    """Signed in, but the role is too weak."""

    status = 403


class NotFound(RunoutError):
    """No such product, warehouse, movement ..."""

    status = 404


class TooMany(RunoutError):
    """Too many tries; `retry_after_seconds` says when to come back."""

    status = 429

    def __init__(self, sentence: str, retry_after_seconds: int):
        super().__init__(sentence, retry_after_seconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class Busy(RunoutError):
    """As much as can be done at once is being done; `retry_after_seconds` says when to come back."""

    status = 503

    def __init__(self, sentence: str, retry_after_seconds: int):
        super().__init__(sentence, retry_after_seconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class BadInput(RunoutError):
    """A value that cannot be what was meant."""

    status = 422


class RuleBroken(RunoutError):
    """A rule of the shop says no."""


class InsufficientStock(RuleBroken):
    """More was asked for than is on hand."""


class AlreadyReversed(RuleBroken):
    """A movement can be reversed once."""


class AlreadyReturned(RuleBroken):
    """A sale comes back once: not more of it than was sold, and not after or before its reversal."""


class TooLittleHistory(RuleBroken):
    """A prediction needs more days than there are."""


class KeyReused(RunoutError):
    """An idempotency key came again with another request."""

    status = 409


class BulkRefused(RuleBroken):
    """A bulk posting was refused as a whole; `refused` lists its lines (line, code, figures)."""

    def __init__(self, sentence: str, refused: list[dict]):
        super().__init__(sentence, refused=refused)
        self.refused = refused
