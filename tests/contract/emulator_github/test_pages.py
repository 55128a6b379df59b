"""Pages for people: what is shown, and that nothing of it runs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bot.emulators.github.markdown import render

if TYPE_CHECKING:
    from tests.contract.emulator_github.conftest import Scene

SHOP = "acme/shop"


def test_a_pull_request_s_page_shows_all_of_it(scene: Scene) -> None:
    github = scene.github
    github.commit(SHOP, "fix", "shop.py", "def total(prices):\n    return 0 < 1\n", by="ana")
    pull = github.open_pull(
        SHOP, "Fix <b>it</b>", head="fix", by="ana", body="Closes #1\n\n**bold**\n\n- [x] done"
    )
    github.comment(pull, "<!-- acp:run -->\n\nhello `code`", by="kim")
    github.react(pull, "rocket", by="ana")
    check = github.run_check(SHOP, github.head(SHOP, "fix"), "tests", "success", app=scene.app)
    answer = httpx2.get(github.page(pull))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for part in (
        "Fix &lt;b&gt;it&lt;/b&gt; #1", "<strong>bold</strong>", "<code>code</code>", "🚀 1",
        "return 0 &lt; 1", "Edit shop.py", f"/runs/{check.id}", "<code>fix</code>",
    ):  # fmt: skip
        assert part in answer.text, part
    assert "acp:run" not in answer.text
    assert "tests" in httpx2.get(f"{github.url}/{SHOP}/runs/{check.id}").text


def test_every_page_is_reached_from_the_first(scene: Scene) -> None:
    issue = scene.github.open_issue(SHOP, "Broken", by="eve", labels=["bug"])
    front = httpx2.get(scene.github.url).text
    assert f"/{SHOP}" in front
    assert f"/{SHOP}/issues/1" in httpx2.get(f"{scene.github.url}/{SHOP}").text
    assert "No description provided." in httpx2.get(scene.github.page(issue)).text
    for path in ("/nobody/nothing", f"/{SHOP}/issues/9", "/a/b/c/d/e", f"/{SHOP}/runs/9"):
        assert httpx2.get(scene.github.url + path).status_code == 404
    assert httpx2.post(f"{scene.github.url}/{SHOP}").status_code == 404


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "text <img src=x onerror=alert(1)> text",
        "<details open onclick=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](http://evil.example/leak.png)",
        "<style>body{display:none}</style>",
        "<iframe src='http://evil.example'>",
        '<a href="javascript:alert(1)">x</a>',
        "<svg/onload=alert(1)>",
        "<b\nonclick=alert(1)>",
        "`<script>`",
        "<!-- --><script>alert(1)</script>",
    ],
)
def test_what_people_write_never_runs(attack: Any) -> None:
    shown = render(attack)
    for bad in ("<script", "<img", "<style", "<iframe", "<svg", '<a href="j', '<a href="d'):
        assert bad not in shown
    assert "onclick" not in shown or "&lt;" in shown


def test_details_and_tables_are_shown_and_comments_vanish() -> None:
    shown = render(
        "<!-- gone -->\n<details open><summary>More</summary>\n\n```\n<x>\n```\n\n</details>"
    )
    assert "<details open><summary>More</summary>" in shown
    assert "&lt;x&gt;" in shown
    assert "gone" not in shown
    assert "<td>1</td>" in render("| a |\n|---|\n| 1 |")
    assert "never ends" not in render("<!-- never ends")


def test_the_module_says_how_to_use_it_and_stops_when_told() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.emulators.github"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        said = dict(line.split(None, 1) for line in lines)
        assert httpx2.get(said["Pages"].strip()).status_code == 200
        rest, token = said["REST"].split()[0], said["Token"].split()[0]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{rest}/user", headers=headers).json()["login"] == "ana"
    finally:
        process.send_signal(2)
        process.communicate(timeout=30)
    assert process.returncode == 0
