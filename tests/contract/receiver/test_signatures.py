"""Who may speak: signatures, their rotation, and GitHub's own library as the peer."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.github.webhooks import verify
from tests.contract.receiver.sender import SECRET, Sender, labeled, signature

PEER = Path(__file__).parents[2] / "data/octokit/peer.mjs"
BODY = json.dumps(labeled(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "sha1=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest(),
        "sha256=" + "0" * 64,
        signature(BODY)[:-2],
        signature(BODY) + "00",
        signature(BODY).removeprefix("sha256="),
        signature(BODY, "another secret"),
        signature(BODY, ""),
        "sha256=" + "é" * 64,
    ],
)
def test_11_a_wrong_signature_is_401_and_leaves_no_row(sender: Sender, given: str | None) -> None:
    headers = sender.headers(BODY) | {"x-hub-signature": "sha1=" + "0" * 40}
    del headers["x-hub-signature-256"]
    raw: Any = dict(headers)
    if given is not None:
        raw["x-hub-signature-256"] = given.encode("utf-8")
    answer = sender.post(BODY, raw)
    assert (answer.status_code, sender.rows()) == (401, 0)


def test_12_a_body_that_was_changed_on_the_way_is_401(sender: Sender) -> None:
    headers = sender.headers(BODY)
    again = json.dumps(json.loads(BODY)).encode()
    assert sender.post(BODY[:-1] + b" }", headers).status_code == 401
    assert sender.post(again, headers).status_code == 401
    assert sender.post(b"\xef\xbb\xbf" + BODY, headers).status_code == 401
    assert sender.post(b"", headers).status_code == 401
    assert sender.rows() == 0
    assert sender.post(BODY, headers).status_code == 202


def test_13_old_and_new_secret_open_until_the_old_one_is_dropped(sender: Sender) -> None:
    def send(secret: str) -> int:
        headers = sender.headers(BODY) | {"x-hub-signature-256": signature(BODY, secret)}
        return sender.post(BODY, headers).status_code

    def rotate(now: str, previous: str | None) -> None:
        sender.service.settings = sender.settings.model_copy(
            update={
                "github_webhook_secret": SecretStr(now),
                "github_webhook_secret_previous": SecretStr(previous) if previous else None,
            }
        )
        sender.service.forget_lock()

    assert (send("old"), send("new")) == (401, 401)
    rotate("new", previous="old")
    assert (send("old"), send("new"), send("")) == (202, 202, 401)
    rotate("new", previous=None)
    assert (send("old"), send("new")) == (401, 202)


def peer(**said: str) -> Any:
    node = shutil.which("node")
    if node is None:
        assert not os.environ.get("CI"), "node is needed in CI: the signature's peer runs in it"
        pytest.skip("node is not here, and the signature's peer runs in it")
    done = subprocess.run(
        [node, str(PEER)], input=json.dumps(said).encode(), capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("secret", [SECRET, "pässwörd … 💥", "x"])
def test_githubs_own_library_and_we_agree(sender: Sender, secret: str) -> None:
    text = BODY.decode()
    theirs = peer(verb="sign", secret=secret, payload=text)
    assert theirs == signature(BODY, secret)
    assert verify([secret.encode()], BODY, theirs)
    assert peer(verb="verify", secret=secret, payload=text, signature=theirs) is True
    other = "sha256=" + hashlib.sha256(b"another").hexdigest()
    assert peer(verb="verify", secret=secret, payload=text, signature=other) is False


def test_what_githubs_own_library_signed_is_taken_in(sender: Sender) -> None:
    theirs = peer(verb="sign", secret=SECRET, payload=BODY.decode())
    headers = sender.headers(BODY) | {"x-hub-signature-256": theirs}
    assert sender.post(BODY, headers).status_code == 202
    assert len(sender.runs()) == 1
