"""What the emulated Jira sends out: signed webhooks, and Automation rules with a header."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

Format = Literal["automation", "jira", "custom", "key"]
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery, as it went out, and what was answered (0: nobody was there)."""

    headers: dict[str, str]
    body: bytes
    status: int


@dataclass(slots=True)
class Hooks:
    """Where deliveries go. Without a `secret` there is no webhook, without a `token` no rule."""

    url: str = ""
    secret: str = ""
    token: str = ""
    format: Format = "automation"
    sent: list[Sent] = field(default_factory=list)
    numbers: int = 0

    def webhook(self, payload: dict[str, Any]) -> None:
        """Send what an administrator's webhook sends."""
        if not self.url or not self.secret:
            return
        self.numbers += 1
        body = json.dumps(payload).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        self.post(
            body,
            {
                "X-Hub-Signature": f"sha256={signature}",
                "X-Atlassian-Webhook-Identifier": f"identifier-{self.numbers}",
            },
        )

    def rule(self, issue: dict[str, Any], at: float) -> None:
        """Send what "Send web request" sends."""
        if not self.url or not self.token:
            return
        bodies: dict[Format, Any] = {
            "automation": {**issue, "id": int(issue["id"]), "changelog": {"histories": None}},
            "jira": issue,
            "custom": {"key": issue["key"], "at": int(at * 1000), "hint": ""},
            "key": {"key": issue["key"]},
        }
        self.post(json.dumps(bodies[self.format]).encode(), {"X-ACP-Token": self.token})

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """Post to the receiver, and remember it."""
        to = urlsplit(self.url)
        connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=_TIMEOUT_S)
        try:
            whole = {"Content-Type": "application/json", **headers}
            connection.request("POST", to.path, body, whole)
            status = connection.getresponse().status
        except OSError:
            status = 0
        finally:
            connection.close()
        self.sent.append(Sent(headers, body, status))
        return status

    def anew(self) -> int:
        """Send the last delivery under another identifier, as a second webhook would."""
        last = self.sent[-1]
        self.numbers += 1
        named = {"X-Atlassian-Webhook-Identifier": f"identifier-{self.numbers}"}
        return self.post(last.body, {**last.headers, **named})

    def again(self) -> int:
        """Send the last delivery once more, as Jira does after an answer that it did not like."""
        last = self.sent[-1]
        return self.post(last.body, {**last.headers, "X-Atlassian-Webhook-Retry": "1"})
