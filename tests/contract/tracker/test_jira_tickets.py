"""The port `TicketReader`, held by the jira library against a local server."""

import base64
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.adapters.jira.client import JiraSite
from bot.adapters.jira.issues import JiraTickets
from bot.domain.refs import JiraKey
from bot.errors import (
    BotError,
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
)

TOKEN = "jira_secret_of_the_test"
BASIC = base64.b64encode(f"me@acme.com:{TOKEN}".encode()).decode()
TICKET = {
    "id": "10001",
    "key": "SHOP-12",
    "self": "x",
    "fields": {"summary": "Totals are wrong", "description": "h2. Steps\r\n# add"},
}


def jira(tracker: Any) -> JiraTickets:
    return JiraTickets(JiraSite(tracker.url, "me@acme.com", TOKEN))


def sentence(tracker: Any, kind: type[BotError]) -> str:
    with pytest.raises(kind) as caught:
        jira(tracker).read(JiraKey.parse("SHOP-12"))
    for secret in (TOKEN, BASIC):
        assert secret not in str(caught.value)
    return str(caught.value).replace(tracker.host, "HOST")


def test_a_ticket_becomes_a_task(tracker: Any) -> None:
    tracker.says(200, TICKET)
    task = jira(tracker).read(JiraKey.parse("shop-12"))
    assert (task.title, task.body, task.source) == (
        "Totals are wrong",
        "## Steps\n\n1. add",
        "SHOP-12",
    )
    assert task.url == f"http://{tracker.host}/browse/SHOP-12"


def test_the_login_is_the_account_and_its_token(tracker: Any) -> None:
    tracker.says(200, TICKET)
    jira(tracker).read(JiraKey.parse("SHOP-12"))
    [(_, path, login)] = tracker.asked
    assert path.startswith("/rest/api/2/issue/SHOP-12?fields=summary%2Cdescription%2C")
    assert login == f"Basic {BASIC}"


def test_a_ticket_without_a_description_is_a_task(tracker: Any) -> None:
    tracker.says(200, TICKET | {"fields": {"summary": "Totals", "description": None}})
    assert jira(tracker).read(JiraKey.parse("SHOP-12")).body == ""


def test_a_browse_url_of_the_site_is_read(tracker: Any) -> None:
    tracker.says(200, TICKET)
    key = JiraKey.parse(f"http://{tracker.host}/browse/SHOP-12")
    assert jira(tracker).read(key).title == "Totals are wrong"


def test_the_token_is_never_sent_to_another_site(tracker: Any) -> None:
    with pytest.raises(Misconfigured, match=r"set JIRA_BASE_URL=https://evil\.example"):
        jira(tracker).read(JiraKey.parse("https://evil.example/browse/SHOP-12"))
    assert tracker.asked == []


def test_a_refused_login(tracker: Any) -> None:
    tracker.says(401, {"message": "Client must be authenticated"})
    assert sentence(tracker, NotAllowed) == snapshot(
        "Jira refuses the login; check JIRA_EMAIL and JIRA_API_TOKEN"
    )


def test_an_account_without_the_right(tracker: Any) -> None:
    tracker.says(403, {"errorMessages": [TOKEN]}, X_Authentication_Denied_Reason="CAPTCHA")
    assert sentence(tracker, NotAllowed) == snapshot(
        "Jira refuses to show SHOP-12; give the account of JIRA_EMAIL the right to browse the "
        "project, or log in once in a browser if Jira asks for a CAPTCHA"
    )


def test_an_unknown_ticket(tracker: Any) -> None:
    tracker.says(404, {"errorMessages": ["Issue does not exist"], "errors": {}})
    assert sentence(tracker, NotFound) == snapshot(
        "SHOP-12 is not on http://HOST, or the account of JIRA_EMAIL may not see it; check "
        "the key and JIRA_API_TOKEN"
    )


def test_a_rate_limit_is_told_and_not_waited_for(tracker: Any) -> None:
    tracker.says(429, {}, Retry_After="30")
    assert sentence(tracker, RateLimited) == snapshot(
        "Jira's rate limit is reached; try again in a few minutes"
    )
    assert len(tracker.asked) == 1


def test_a_server_error_is_worth_another_try(tracker: Any) -> None:
    tracker.says(503, "<html>maintenance</html>", Content_Type="text/html")
    assert sentence(tracker, ForgeUnavailable) == snapshot("Jira answers 503; try again later")


@pytest.mark.parametrize("body", ["<html>log in</html>", "[]", "{}", '{"fields": {}}', "null"])
def test_an_answer_that_is_not_jira(tracker: Any, body: str) -> None:
    tracker.says(200, body)
    assert sentence(tracker, Misconfigured) == snapshot(
        "http://HOST did not answer like Jira; set JIRA_BASE_URL to your site, such as "
        "https://acme.atlassian.net"
    )


def test_an_unreachable_jira() -> None:
    with pytest.raises(ForgeUnavailable) as caught:
        JiraTickets(JiraSite("http://127.0.0.1:9", "me", TOKEN)).read(JiraKey.parse("SHOP-12"))
    assert str(caught.value) == snapshot(
        "http://127.0.0.1:9 cannot be reached; check the network, proxy and JIRA_BASE_URL, "
        "then run again"
    )
