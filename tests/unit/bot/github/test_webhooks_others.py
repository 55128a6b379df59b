"""Pull requests, installations and events that ask for nothing."""

import json
from typing import Any

import pytest

from bot.adapters.github.webhooks import AppIdentity, read
from bot.domain.store import Nothing, Order, Settle, Touch, Withdraw

APP = AppIdentity(app_id=1, bot_id=99, bot_login="acp[bot]")
PULL: dict[str, Any] = {
    "repository": {"id": 4711},
    "sender": {"id": 6, "login": "wanda"},
    "action": "closed",
    "pull_request": {
        "updated_at": "2026-11-22T10:00:00Z",
        "user": {"id": 99},
        "head": {"ref": "acp/issue-7-totals-are-wrong", "repo": {"id": 4711}},
    },
}


def order(event: str, payload: object) -> Order:
    body = json.dumps(payload).encode()
    return read(event, "guid-1", body, app=APP, label="agentic-fix")[1]


def test_closing_our_pull_request_cancels_its_run() -> None:
    assert order("pull_request", PULL) == Touch("cancel", 4711, 7, "wanda", "2026-11-22T10:00:00Z")


@pytest.mark.parametrize("merged", [True, False])
def test_closing_the_pull_request_of_a_ticket_is_told_there(merged: bool) -> None:
    head = {"ref": "acp/SHOP-7-totals-are-wrong", "repo": {"id": 4711}}
    told = {"head": head, "number": 3, "html_url": "https://x/3", "merged": merged}
    found = order("pull_request", {**PULL, "pull_request": {**PULL["pull_request"], **told}})
    assert found == Settle(4711, 3, "https://x/3", "wanda", "2026-11-22T10:00:00Z", merged)


@pytest.mark.parametrize(
    "changes",
    [
        {"user": {"id": 5}},
        {"head": {"ref": "fix", "repo": {"id": 4711}}},
        {"head": {"ref": "acp/issue-7-x", "repo": {"id": 4712}}},
        {"head": {"ref": "acp/issue-7-x", "repo": None}},
    ],
)
def test_closing_another_pull_request_does_not(changes: dict[str, Any]) -> None:
    pull = {**PULL, "pull_request": {**PULL["pull_request"], **changes}}
    found = order("pull_request", pull)
    assert found == Nothing("not a pull request of ours")


@pytest.mark.parametrize(
    ("event", "payload", "wanted"),
    [
        (
            "installation",
            {"action": "suspend", "installation": {"id": 11}},
            Withdraw(11, None, "the installation was suspended"),
        ),
        (
            "installation",
            {"action": "deleted", "installation": {"id": 11}},
            Withdraw(11, None, "the App was uninstalled"),
        ),
        (
            "installation_repositories",
            {
                "action": "removed",
                "installation": {"id": 11},
                "repositories_removed": [{"id": 4711}, {"id": "x"}, 3, {"id": 4712}],
            },
            Withdraw(11, (4711, 4712), "the repository was taken from the installation"),
        ),
        (
            "installation_repositories",
            {"action": "removed", "installation": {"id": 11}, "repositories_removed": []},
            Nothing("installation_repositories.removed came without repositories_removed"),
        ),
        (
            "installation",
            {"action": "unsuspend", "installation": {"id": 11}},
            Nothing("the installation is back"),
        ),
        ("ping", {"zen": "Keep it logically awesome."}, Nothing("ping")),
        ("star", {"action": "created"}, Nothing("star.created asks for nothing")),
        ("push", {"ref": "refs/heads/main"}, Nothing("push asks for nothing")),
    ],
)
def test_an_event_means(event: str, payload: dict[str, Any], wanted: Order) -> None:
    assert order(event, payload) == wanted
