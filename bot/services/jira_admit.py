"""Whether a ticket's run may begin, and its text: both were settled when the ticket was looked at.

Jira is not asked again: a tracker that is down must not hold a pull request.
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.domain.jira import Asked
from bot.domain.jira_text import compose
from bot.domain.policy import Refusal, Rules, Voice


def ticket_refusal(rules: Rules) -> Refusal | None:
    """What the repository's own file says against it. People whom it names are the forge's."""
    if not rules.enabled:
        return Refusal.DISABLED
    return None if rules.people is None else Refusal.NOT_LISTED


def ticket_text(ticket: Asked) -> dict[str, Any]:
    """The frozen text, clean, with all whose words they are: what `Admitted` needs of it."""
    task, stripped = compose(ticket.parts)
    voices = (Voice(p.by, "text", "write" if p.may else "none") for p in ticket.parts)
    return {
        "task": task,
        "digest": hashlib.sha256(task.encode("utf-8", "replace")).hexdigest(),
        "voices": tuple(dict.fromkeys(voices)),
        "stripped": stripped,
    }
