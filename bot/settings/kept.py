"""What `acp setup` keeps in the data directory, and which place may say where a key is sent."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.errors import Misconfigured

KEPT = "github-app.env"
KEPT_NAMES = (
    "ACP_GITHUB_APP_ID",
    "ACP_GITHUB_PRIVATE_KEY_FILE",
    "ACP_GITHUB_WEBHOOK_SECRET",
    "GITHUB_API_URL",
)
"""All that is ever read from that file."""
KEY_FILE = "github-app.pem"
_GITHUB_COM = "https://api.github.com"

# a key, by the first of its names, and the address that it is sent to
_HAND_IN_HAND = (
    ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    ("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
    ("GITHUB_TOKEN", "GITHUB_API_URL"),
    ("JIRA_API_TOKEN", "JIRA_BASE_URL"),
    ("ACP_GITHUB_PRIVATE_KEY", "GITHUB_API_URL"),
    ("ACP_GITHUB_PRIVATE_KEY_FILE", "GITHUB_API_URL"),
)


def keep_keys_home(
    environment: Mapping[str, Any], dotenv: Mapping[str, Any], kept: Mapping[str, Any]
) -> None:
    """Refuse a file that says where a key of another place goes. Raises Misconfigured.

    A cloned repository may bring a `.env`, and must not thereby learn the user's keys.
    """
    for key, address in _HAND_IN_HAND:
        if address in environment:
            continue
        if address in dotenv and key in environment:
            raise Misconfigured(
                f".env sets {address} while the key for it comes from the environment, and would "
                "send that key there; set both in one place"
            )
        if address in dotenv and key in kept and dotenv[address] != kept.get(address):
            raise Misconfigured(
                f".env sets {address} while the App was set up for another; set {address} in the "
                "environment if that is meant"
            )
        if address not in dotenv and (key in environment or key in dotenv):
            _keep_from_kept(key, address, kept)


def _keep_from_kept(key: str, address: str, kept: Mapping[str, Any]) -> None:
    if address in KEPT_NAMES and kept.get(address, _GITHUB_COM) != _GITHUB_COM:
        raise Misconfigured(
            f"the App was set up for {kept[address]}, and {key} would be sent there; set "
            f"{address} beside it"
        )


def first_mistake(error: ValidationError) -> str:
    """One sentence without the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    what = first["msg"].removeprefix("Value error, ")
    return f"{first['loc'][0]} is wrong: {what[:1].lower()}{what[1:]}"


def private_directory(path: Path) -> Path:
    """The directory, made if need be, for its owner alone. Raises Misconfigured."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
    except OSError as error:
        raise Misconfigured(
            f"the data directory {path} cannot be used ({error.strerror}); "
            "set ACP_DATA_DIR to one that can be written"
        ) from None
    return path


def keep_app(directory: Path, *, app_id: int, pem: str, secret: str, api_url: str) -> Path:
    """Write an App's credentials for the next start; both files are for their owner alone.

    Returns the file with the settings. Raises Misconfigured.
    """
    key = private_directory(directory) / KEY_FILE
    lines = {
        "ACP_GITHUB_APP_ID": str(app_id),
        "ACP_GITHUB_PRIVATE_KEY_FILE": str(key.absolute()),
        "ACP_GITHUB_WEBHOOK_SECRET": secret,
        "GITHUB_API_URL": api_url,
    }
    # Single quotes: nothing in between is expanded when it is read again.
    text = "".join(f"{name}='{value}'\n" for name, value in lines.items())
    if any("'" in value or "\n" in value or "\\" in value for value in lines.values()):
        raise Misconfigured("a path or value with quotes cannot be kept; change ACP_DATA_DIR")
    kept = directory / KEPT
    try:
        write_private(key, pem)
        write_private(kept, text)
    except OSError as error:
        raise Misconfigured(f"{directory} cannot be written: {error.strerror}") from None
    return kept


def write_private(path: Path, text: str) -> None:
    """Replace a file at once by one that only its owner can read."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
