"""Everything the bot raises on purpose. The leaf's name says who can mend it.

    BotError
    ├── UserError            whoever asked can mend it; the text is written for them
    │   ├── BadReference     a repository, issue or ticket that cannot be read as one
    │   ├── NotFound         it does not exist, or we may not see it
    │   ├── NotAllowed       it exists, and we were refused
    │   └── GivenUp          a run was begun too often, and never came to an end
    ├── Transient            worth another try later
    │   ├── ForgeUnavailable no answer, or an answer that is the server's own failure
    │   └── RateLimited      too many requests; `reset_at` says when there may be more
    └── OperatorError        whoever set this up can mend it
        └── Misconfigured    names the variable or flag, and the mend

Every message is one sentence that says what to do, and holds no secret.
"""

from __future__ import annotations


class BotError(Exception):
    """Root of everything the bot raises on purpose."""


class UserError(BotError):
    """Whoever asked can mend it."""


class BadReference(UserError):
    """A repository, issue or ticket that cannot be read as one."""


class NotFound(UserError):
    """It does not exist, or we may not see it."""


class NotAllowed(UserError):
    """It exists, and we were refused."""


class GivenUp(UserError):
    """A run was begun too often, and never came to an end."""


class Transient(BotError):
    """Worth another try later."""


class ForgeUnavailable(Transient):
    """No answer, or an answer that is the server's own failure."""


class RateLimited(Transient):
    """Too many requests. `reset_at` is seconds since the epoch, or None where nobody said."""

    def __init__(self, message: str, *, reset_at: int | None = None) -> None:
        super().__init__(message)
        self.reset_at = reset_at


class OperatorError(BotError):
    """Whoever set this up can mend it."""


class Misconfigured(OperatorError):
    """A setting is missing or wrong."""
