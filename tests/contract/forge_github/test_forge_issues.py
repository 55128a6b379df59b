"""Issues: who may, what stands there, and one comment of each kind."""

from typing import Any

import pytest

from bot.adapters.github.forge import GitHubForge
from bot.errors import ForgeUnavailable, NotAllowed, NotFound

MARKER = "<!-- acp:run-summary v1 -->"
SHOP = "acme/shop"


@pytest.mark.parametrize(
    ("role", "permission"),
    [
        ("admin", "admin"),
        ("maintain", "maintain"),
        ("write", "write"),
        ("triage", "triage"),
        ("read", "read"),
        ("fixer", "write"),
        ("looker", "read"),
        ("none", "none"),
    ],
)
async def test_the_real_permission_is_read(
    scene: Any, forge: GitHubForge, role: str, permission: str
) -> None:
    scene.github.custom_role(SHOP, "fixer", "write")
    scene.github.custom_role(SHOP, "looker", "read")
    scene.github.collaborator(SHOP, "ann", role)
    assert await forge.permission("ann") == permission


async def test_an_account_that_is_not_there_may_nothing(forge: GitHubForge) -> None:
    assert await forge.permission("no/../body?x") == "none"


async def test_state_and_labels_are_as_they_are_now(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann", labels=["bug"])
    assert await forge.issue_state(issue.number) == ("open", frozenset({"bug"}))
    scene.github.close_issue(issue, by="ann")
    assert (await forge.issue_state(issue.number))[0] == "closed"


async def test_an_issue_that_is_not_there_is_not_found(forge: GitHubForge) -> None:
    with pytest.raises(NotFound, match=r"cannot read #99 in acme/shop"):
        await forge.issue_state(99)


async def test_every_comment_is_read_with_its_author_and_edit(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    made = [scene.github.comment(issue, f"{number}", by="bob") for number in range(101)]
    scene.github.clock.advance(5)
    scene.github.edit_comment(issue, made[-1], "edited", by="bob")
    comments = await forge.comments(issue.number)
    assert [one.body for one in comments] == [*map(str, range(100)), "edited"]
    assert {one.author.login for one in comments} == {"bob"}
    assert [bool(one.edited_at) for one in comments] == [False] * 100 + [True]


async def test_one_comment_is_made_and_then_edited(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    first = await forge.upsert_comment(issue.number, MARKER, f"{MARKER}\nstarted")
    assert await forge.upsert_comment(issue.number, MARKER, f"{MARKER}\ndone") == first
    assert await forge.upsert_comment(issue.number, MARKER, "end", known_id=first) == first
    assert scene.github.comments(issue) == [("acp[bot]", f"{MARKER}\nend")]


async def test_the_same_text_is_not_sent_again(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    for _ in range(3):
        await forge.upsert_comment(issue.number, MARKER, f"{MARKER}\r\nsame\n")
    assert len(scene.writes()) == 1


async def test_a_marker_that_somebody_pasted_is_not_ours(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    fake = scene.github.comment(issue, f"{MARKER} mine!", by="mallory")
    ours = await forge.upsert_comment(issue.number, MARKER, "done", known_id=fake.id)
    assert ours != fake.id
    assert scene.github.comments(issue)[0] == ("mallory", f"{MARKER} mine!")


async def test_our_comment_of_another_kind_is_left_alone(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    one = await forge.upsert_comment(issue.number, "<!-- acp:tests -->", "tests")
    two = await forge.upsert_comment(issue.number, "<!-- acp:qa -->", "qa", known_id=one)
    assert one != two


async def test_a_deleted_comment_is_made_again(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    first = await forge.upsert_comment(issue.number, MARKER, "one")
    scene.github.delete_comment(issue, issue.comments[0], by="ann")
    second = await forge.upsert_comment(issue.number, MARKER, "two", known_id=first)
    assert second != first
    assert len(scene.github.comments(issue)) == 1


async def test_39_a_comment_whose_answer_was_lost_is_made_once(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    fault = scene.github.faults.add("POST", "/repos/*/comments", "502-after")
    made = await forge.upsert_comment(issue.number, MARKER, "one")
    assert fault.hits == 1
    assert [one.id for one in issue.comments] == [made]


async def test_a_comment_that_was_not_made_is_told_and_made_by_the_next_call(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    scene.github.faults.add("POST", "/repos/*/comments", "502-before")
    with pytest.raises(ForgeUnavailable):
        await forge.upsert_comment(issue.number, MARKER, "one")
    await forge.upsert_comment(issue.number, MARKER, "one")
    assert len(issue.comments) == 1


async def test_46_a_text_of_five_megabytes_fits_with_head_tail_and_marker(
    scene: Any, forge: GitHubForge
) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    body = "first line\n" + "größe ☃\n" * 400_000 + "last line\n" + MARKER
    await forge.upsert_comment(issue.number, MARKER, body)
    ((_, stored),) = scene.github.comments(issue)
    assert len(stored.encode()) <= 60_000
    assert stored.startswith("first line")
    assert stored.endswith(f"last line\n{MARKER}")
    assert "bytes left out" in stored


async def test_a_reaction_twice_is_one(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    comment = scene.github.comment(issue, "/acp run", by="ann")
    for _ in range(2):
        await forge.react(issue.number, 0, "eyes")
        await forge.react(issue.number, comment.id, "rocket")
    assert scene.github.reactions(issue) == [("acp[bot]", "eyes")]
    assert scene.github.reactions(comment) == [("acp[bot]", "rocket")]


async def test_labels_come_and_go_whatever_their_names(scene: Any, forge: GitHubForge) -> None:
    issue = scene.github.open_issue(SHOP, "Totals", by="ann", labels=["area/totals", "help wanted"])
    await forge.label(
        issue.number, add=["acp: working"], remove=["area/totals", "help wanted", "gone"]
    )
    assert (await forge.issue_state(issue.number))[1] == {"acp: working"}


async def test_a_right_that_is_missing_is_said(scene: Any) -> None:
    forge = await scene.forge({"metadata": "read", "issues": "read"})
    issue = scene.github.open_issue(SHOP, "Totals", by="ann")
    with pytest.raises(NotAllowed, match="GitHub does not let the App"):
        await forge.upsert_comment(issue.number, MARKER, "one")
