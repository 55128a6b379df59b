"""Rows to values and back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.store import tables
from bot.domain.runs import Run, RunRequest, RunStatus
from bot.domain.store import Asked, Say

_REQUEST = TypeAdapter(RunRequest)
_SAY = TypeAdapter(Say)
_SAME = (
    "id", "epoch", "outcome", "reason", "created_at", "started_at", "finished_at",
    "cancel_requested", "push_by", "cost_usd", "pull_request", "cancel_by", "worker",
    "not_before", "parked", "lost_usd",
)  # fmt: skip
RUN = (tables.runs.c.request, tables.runs.c.status, *(tables.runs.c[name] for name in _SAME))
"""The columns that `run_of` needs."""


def run_of(row: sa.Row[Any, Any]) -> Run:
    """A row of `RUN` as a value."""
    return Run(
        request=_REQUEST.validate_python(row.request),
        status=RunStatus(row.status),
        **{name: getattr(row, name) for name in _SAME},
    )


def columns_of(request: RunRequest) -> dict[str, Any]:
    """What a new run's row says of its request."""
    return {
        "request": _REQUEST.dump_python(request, mode="json"),
        "meaning": request.meaning,
        "installation_id": request.repository.installation_id,
        "repository_id": request.repository.id,
        "issue": request.issue,
        "priority": request.priority,
    }


def asked_of(row: sa.Row[Any, Any]) -> Asked:
    """A row of the commands as a value."""
    return Asked(row.id, _SAY.validate_python(row.say), row.tries)


def plain_say(say: Say) -> dict[str, Any]:
    """A command as JSON."""
    plain: dict[str, Any] = _SAY.dump_python(say, mode="json")
    return plain
