"""Prompt texts: role texts are fixed, openings are templates that refuse undefined variables."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def role_text(name: str) -> str:
    """The system text of a role, such as "coder"."""
    return _read(f"{name}.md")


def opening(name: str, **values: object) -> str:
    """The first message of a role. Raises jinja2.UndefinedError where a value is missing."""
    return _filled(f"{name}_opening.md", values) + "\n"


def present(name: str, **values: object) -> str:
    """What follows the first message of a role in one iteration, "" if nothing does.

    Raises jinja2.UndefinedError where a value is missing.
    """
    return _filled(f"{name}_present.md", values)


def _filled(template: str, values: dict[str, object]) -> str:
    return _templates().from_string(_read(template)).render(**values).strip()


def fenced(text: object, tag: str) -> str:
    """Untrusted text between tags that it cannot close itself."""
    body = str(text).replace(f"</{tag}", f"<\\/{tag}").strip("\n")
    return f"<{tag}>\n{body}\n</{tag}>"


@cache
def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


@cache
def _templates() -> Environment:
    import jinja2

    made = jinja2.Environment(  # noqa: S701 - the result is a prompt, never HTML
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["fenced"] = fenced
    return made
