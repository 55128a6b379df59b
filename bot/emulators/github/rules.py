"""What GitHub refuses in the fields of a request, in its words."""

from __future__ import annotations

from bot.emulators.github.world import Problem

BODY_CHARACTERS = 65_536
TITLE_CHARACTERS = 256


def invalid(resource: str, field: str, code: str, message: str = "") -> Problem:
    """A "Validation Failed" for one field."""
    error: dict[str, object] = {"resource": resource, "field": field, "code": code}
    return Problem(422, "Validation Failed", [error | ({"message": message} if message else {})])


def checked_title(resource: str, title: str) -> str:
    """The title. Raises Problem."""
    if not title.strip():
        raise invalid(resource, "title", "missing_field")
    if len(title) > TITLE_CHARACTERS:
        said = f"title is too long (maximum is {TITLE_CHARACTERS} characters)"
        raise invalid(resource, "title", "custom", said)
    return title


def checked_body(resource: str, body: str | None, *, blank: bool = True) -> str | None:
    """The body. Raises Problem if it is too long, or blank where it may not be."""
    if body is not None and len(body) > BODY_CHARACTERS:
        said = f"body is too long (maximum is {BODY_CHARACTERS} characters)"
        raise invalid(resource, "body", "custom", said)
    if not blank and not (body or "").strip():
        raise invalid(resource, "data", "unprocessable", "Body cannot be blank")
    return body
