"""GitHub's own OpenAPI description, as a judge of what the emulator took and answered.

wrong = {line for one in github.exchanges for line in Description().complaints(one)}
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from bot.emulators.github.api import Exchange

DATA = Path(__file__).parents[2] / "data" / "github"
# the root of a tree is contents/{path} with an empty path, and statuses have an older address
UNDESCRIBED = {
    "GET /repos/{owner}/{repo}/contents",
    "GET /repos/{owner}/{repo}/statuses/{ref}",
    "POST /graphql",  # has a schema of its own, which the emulator executes
}


class Description:
    """GitHub's OpenAPI description, as a judge of exchanges."""

    def __init__(self) -> None:
        self.data = json.loads((DATA / "openapi.json").read_text("utf-8"))
        self.errata = json.loads((DATA / "errata.json").read_text("utf-8"))["errata"]
        self.undescribed = UNDESCRIBED
        self._compiled = cache(self._compile)

    def complaints(self, one: Exchange) -> list[str]:
        """What is wrong with an exchange, one line each."""
        operation = self.data["operations"].get(one.operation)
        if operation is None:
            known = not one.operation or one.operation in UNDESCRIBED or one.status >= 400
            return [] if known else [f"unknown {one.operation}"]
        found = []
        if one.status < 400:
            unknown = set(one.incoming.query) - set(operation["query"])
            found += [f"{one.operation}: query {name}" for name in sorted(unknown)]
            if one.body is not None and operation["request"] is not None:
                found += self._errors(one.operation, "request", one.body)
        if not one.fault and one.status != 304:
            found += self._response(one, operation["responses"])
        return found

    def _response(self, one: Exchange, known: dict[str, Any]) -> list[str]:
        code = str(one.status)
        if code not in known:
            if one.status < 300:
                return [f"{one.operation}: {code} is not documented"]
            return self._errors("basic-error", "error", one.data)
        if known[code] is None:
            return []
        if isinstance(one.data, bytes):
            return []
        return self._errors(one.operation, code, one.data)

    def _errors(self, operation: str, side: str, data: Any) -> list[str]:
        found = []
        for error in self._compiled(operation, side).iter_errors(data):
            path = "/".join(str(part) for part in error.instance_path)
            message = error.message if len(error.message) < 300 else error.message[-300:]
            if not self._known(operation, side, path, message):
                found.append(f"{operation} {side} at {path or '.'}: {message}")
        return found

    def _known(self, operation: str, side: str, path: str, message: str) -> bool:
        side = side if side == "request" else "response"
        return any(
            one["operation"] in ("*", operation)
            and one["side"] == side
            and path.startswith(one["path"])
            and one["says"] in message
            for one in self.errata
        )

    def _compile(self, operation: str, side: str) -> Any:
        if side == "error":
            schema = {"$ref": "#/components/schemas/basic-error"}
        elif side == "request":
            schema = self.data["operations"][operation]["request"]
        else:
            schema = self.data["operations"][operation]["responses"][side]
        whole = schema | {"components": self.data["components"]}
        return jsonschema_rs.validator_for(whole, validate_formats=True)
