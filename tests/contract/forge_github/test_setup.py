"""Setting the App up by its manifest, and fetching deliveries that were lost."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from typing_extensions import override

from bot.adapters.github.client import GitHubApp
from bot.adapters.github.http import Addresses, GitHubHttp
from bot.adapters.github.manifest import app_yml, convert, form_address, read_manifest
from bot.errors import Misconfigured

SHOP = "acme/shop"


class Stay(HTTPRedirectHandler):
    @override
    def redirect_request(self, *_: Any) -> None:
        return None


def press(url: str, **fields: str) -> str:
    """Post a form; where the answer redirects to."""
    asked = Request(url, urlencode(fields).encode(), method="POST")
    opener = build_opener(Stay())
    try:
        opener.open(asked, timeout=10).close()
    except OSError as answer:
        location = str(answer.headers["Location"])  # type: ignore[attr-defined]
        answer.close()  # type: ignore[attr-defined]
        return location
    return ""


async def test_the_manifest_becomes_an_app_that_works(scene: Any) -> None:
    github, addresses = scene.github, Addresses.of(scene.github.api_url)
    github.account("acme")
    manifest = read_manifest(app_yml(), "https://acp.example.com", name="Fixer")
    form = form_address(addresses, "state-1")
    assert form.startswith(f"{github.url}/settings/apps/new?")
    back = press(
        f"{github.url}/settings/apps/manifest",
        manifest=json.dumps(manifest),
        owner="acme",
        state="state-1",
        name="Fixer",
    )
    query = parse_qs(urlsplit(back).query)
    assert back.startswith("https://acp.example.com/setup/callback?")
    assert query["state"] == ["state-1"]
    client = GitHubHttp(addresses)
    made = await convert(client, query["code"][0])
    with pytest.raises(Misconfigured, match="start the setup again"):
        await convert(client, query["code"][0])
    await client.aclose()
    app = GitHubApp(
        app_id=str(made.id),
        private_key=made.pem,
        on_secret=scene.secrets.append,
        api_url=github.api_url,
    )
    assert (await app.identity()).slug == made.slug == "fixer"
    await app.aclose()
    assert made.webhook_secret
    assert made.client_secret


class Inbox:
    """A receiver that answers as told and counts what it got."""

    def __init__(self) -> None:
        self.status, self.got = 202, list[str]()
        inbox = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                inbox.got.append(self.headers["X-GitHub-Delivery"])
                self.send_response(inbox.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            @override
            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/github"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    thread = threading.Thread(target=inbox.server.serve_forever, args=(0.01,))
    thread.start()
    yield inbox
    inbox.server.shutdown()
    inbox.server.server_close()
    thread.join()


async def test_23_what_the_receiver_missed_is_delivered_again_once(
    scene: Any, inbox: Inbox
) -> None:
    scene.record.webhook_url = inbox.url
    inbox.status = 503
    scene.github.open_issue(SHOP, "Missed", by="ann")
    assert scene.github.hooks.drain()
    inbox.status = 202
    scene.github.open_issue(SHOP, "Got", by="ann")
    assert scene.github.hooks.drain()
    (lost,) = await scene.app.deliveries.failed()
    assert (lost.guid, lost.event) == (inbox.got[0], "issues")
    await scene.app.deliveries.redeliver(lost)
    assert scene.github.hooks.drain()
    assert inbox.got.count(lost.guid) == 2
    assert await scene.app.deliveries.failed() == ()


async def test_many_deliveries_are_read_page_by_page(scene: Any, inbox: Inbox) -> None:
    scene.record.webhook_url = inbox.url
    inbox.status = 500
    for number in range(120):
        scene.github.deliver(scene.record, "ping", {"zen": str(number)})
    assert scene.github.hooks.drain()
    lost = await scene.app.deliveries.failed()
    assert [one.guid for one in lost] == inbox.got
