"""The judge itself: GitHub's description covers what is served, and complains when it should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bot.emulators.github import GitHubEmulator
from bot.emulators.github.api import Api, Exchange
from bot.emulators.github.wire import Incoming

if TYPE_CHECKING:
    from tests.contract.emulator_github.description import Description


def served(github: GitHubEmulator) -> set[str]:
    api: Api = github._api
    return {route.operation for route in api._table} | {"GET /rate_limit"}


def test_everything_that_is_served_is_described_and_the_reverse(
    description: Description, github: GitHubEmulator
) -> None:
    described = set(description.data["operations"])
    assert served(github) - described == description.undescribed
    assert described - served(github) == set()


@pytest.mark.parametrize(
    ("status", "data", "complaint"),
    [
        (200, {"id": "seven"}, "required property"),
        (299, {}, "is not documented"),
        (404, {"message": 7}, "not of type"),
    ],
)
def test_a_wrong_answer_is_complained_about(
    description: Description, status: Any, data: Any, complaint: Any
) -> None:
    incoming = Incoming("GET", "/app", {}, {}, b"")
    wrong = description.complaints(Exchange("GET /app", incoming, status, {}, data))
    assert any(complaint in line for line in wrong), wrong


def test_a_wrong_request_that_was_taken_is_complained_about(description: Description) -> None:
    body = json.dumps({"title": 7}).encode()
    incoming = Incoming("PATCH", "/x", {"nope": "1"}, {}, body)
    operation = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}"
    wrong = description.complaints(Exchange(operation, incoming, 200, {}, None, "slow"))
    assert any("query nope" in line for line in wrong)
    assert any("request at title" in line for line in wrong)


def test_every_erratum_names_an_operation_and_a_reason(description: Description) -> None:
    for one in description.errata:
        assert one["operation"] in {"*", *description.data["operations"]}
        assert one["reason"]


def test_the_description_names_its_source_and_licence(description: Description) -> None:
    assert description.data["source"].startswith("npm @octokit/openapi ")
    assert "MIT License" in description.data["license"]
