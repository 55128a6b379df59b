"""The judge itself: GitHub's description covers what is served, and complains when it should."""

import json

import pytest

from bot.emulators.github import GitHubEmulator
from bot.emulators.github.api import Api, Exchange
from bot.emulators.github.wire import Incoming


def served(github: GitHubEmulator) -> set[str]:
    api: Api = github._api
    return {route.operation for route in api._table} | {"GET /rate_limit"}


def test_everything_that_is_served_is_described_and_the_reverse(description, github):
    described = set(description.data["operations"])
    # the description writes the root of a tree as contents/{path} with an empty path
    assert served(github) - described == {"GET /repos/{owner}/{repo}/contents"}
    assert described - served(github) == set()


@pytest.mark.parametrize(
    ("status", "data", "complaint"),
    [
        (200, {"id": "seven"}, "required property"),
        (299, {}, "is not documented"),
        (404, {"message": 7}, "not of type"),
    ],
)
def test_a_wrong_answer_is_complained_about(description, status, data, complaint):
    incoming = Incoming("GET", "/app", {}, {}, b"")
    wrong = description.complaints(Exchange("GET /app", incoming, status, {}, data))
    assert any(complaint in line for line in wrong), wrong


def test_a_wrong_request_that_was_taken_is_complained_about(description):
    body = json.dumps({"title": 7}).encode()
    incoming = Incoming("PATCH", "/x", {"nope": "1"}, {}, body)
    operation = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}"
    wrong = description.complaints(Exchange(operation, incoming, 200, {}, None, "slow"))
    assert any("query nope" in line for line in wrong)
    assert any("request at title" in line for line in wrong)


def test_every_erratum_names_an_operation_and_a_reason(description):
    for one in description.errata:
        assert one["operation"] in {"*", *description.data["operations"]}
        assert one["reason"]


def test_the_description_names_its_source_and_licence(description):
    assert description.data["source"].startswith("npm @octokit/openapi ")
    assert "MIT License" in description.data["license"]
