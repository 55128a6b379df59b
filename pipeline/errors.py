"""Everything the library raises. The leaf's name says what the caller can do.

    PipelineError
    ├── StateOwnershipError      an agent wrote a key or a path of another role
    ├── InvalidState             a state or checkpoint that is not ours, or is damaged
    ├── BudgetExceeded           a limit was reached; the run ends with what it has
    ├── AgentError               an agent raised; wraps the cause
    ├── SecretFound              a change holds a secret that this process knows
    ├── EditRejected             an edit was refused; the message tells the model why
    ├── WorkspaceError           the repository or its tree cannot be used as asked
    │   ├── CheckoutError        clone or base commit not to be had
    │   │   └── SourceAway       its server did not answer: worth another try later
    │   ├── PatchError           a diff does not apply to its base
    │   └── UnsafePath           a path leaves the workspace, or runs through a symlink
    ├── SandboxError             a sandbox could not be opened or died
    │   └── SandboxUnavailable   no isolation on this machine: names the three ways out
    │       └── SandboxRefused   the same, in words for a public place
    └── LLMError                 a model call failed
        ├── LLMUnavailable       worth another try later (429, 5xx, timeout, dropped connection)
        ├── LLMIncomplete        the answer was cut short or unreadable: never used
        ├── LLMRefused           the model declined
        ├── LLMBadRequest        the provider says that the request is wrong
        │   └── LLMTooLong       the conversation does not fit into the model's window
        └── LLMMisconfigured     a key, model id or address is missing or wrong: names the mend

Failing tests and a failing review are state, not exceptions.
"""

from __future__ import annotations

from pipeline.usage import Usage


class PipelineError(Exception):
    """Root of everything this library raises on purpose."""


class StateOwnershipError(PipelineError):
    """An agent wrote a key, or touched a path, that belongs to another role."""


class InvalidState(PipelineError):
    """A state or checkpoint that does not have our shape."""


class BudgetExceeded(PipelineError):
    """A limit was reached. `limit` names it: turns, tokens, wall time, ..."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class AgentError(PipelineError):
    """An agent raised something that is not ours; the cause is attached."""


class SecretFound(PipelineError):
    """A change holds a secret that this process knows: it goes nowhere."""


class EditRejected(PipelineError):
    """An edit was refused. The message is written for the model that sent it."""


class WorkspaceError(PipelineError):
    """The repository or its tree cannot be used as asked."""


class CheckoutError(WorkspaceError):
    """The clone failed or the base commit cannot be had."""


class SourceAway(CheckoutError):
    """The server of the repository did not answer, or failed itself; another try may do."""


class PatchError(WorkspaceError):
    """A diff does not apply to its base."""


class UnsafePath(WorkspaceError):
    """A path leaves the workspace or runs through a symbolic link."""


class SandboxError(PipelineError):
    """A sandbox could not be opened, or died under the command."""


class SandboxUnavailable(SandboxError):
    """No isolation works on this machine."""


class SandboxRefused(SandboxUnavailable):
    """The same, in words that name nothing of the machine: they may be shown to everybody."""


class LLMError(PipelineError):
    """A model call failed. The message is safe to show: no key, no header, no prompt.

    `usage` is what the failed try was billed, as far as its vendor said; where it said nothing,
    `maybe_billed` tells whether it may have been billed all the same.
    """

    usage: Usage | None = None
    maybe_billed: bool = False

    def __init__(self, message: str, *, provider: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.provider = provider
        self.status = status


class LLMUnavailable(LLMError):
    """Worth another try. `retry_after_s` is the server's own wish, in seconds."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, provider=provider, status=status)
        self.retry_after_s = retry_after_s


class LLMIncomplete(LLMError):
    """The answer was cut short or could not be read. It is never used.

    `by_length`: the token limit cut it, so the same request would be cut again.
    """

    maybe_billed = True

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        by_length: bool = False,
    ) -> None:
        super().__init__(message, provider=provider, status=status)
        self.by_length = by_length


class LLMRefused(LLMError):
    """The model declined to answer."""


class LLMBadRequest(LLMError):
    """The provider says that the request is wrong; the same request will fail again."""


class LLMTooLong(LLMBadRequest):
    """The conversation does not fit into the model's window; a shorter one may."""


class LLMMisconfigured(LLMError):
    """A key, model id or address is missing or wrong. The message names the mend."""
