"""Who may do what, how often, and what waits: tables of cases."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.forge import Comment, Permission, PullRequest
from bot.domain.policy import (
    ANSWERED,
    Cap,
    Hold,
    HoldMode,
    NeedsInformation,
    NothingToDo,
    Refusal,
    Rules,
    TooLarge,
    Triage,
    Voice,
    admitted,
    capped,
    duplicate,
    hold,
    may_command,
    may_start,
    publication,
    pull_kind,
    touch,
    triage,
)
from bot.domain.runs import Actor, FrozenText, RepositoryId
from bot.domain.store import Counts, Say, Touch

US = Actor(99, "acp[bot]", "Bot")
WANDA, RITA = Actor(6, "Wanda", "User"), Actor(5, "rita", "User")
BOT = Actor(50, "deps[bot]", "Bot")
RULES = Rules()

START: dict[str, tuple[Actor, Permission, Rules, Refusal | None]] = {
    "a writer": (WANDA, "write", RULES, None),
    "a maintainer": (WANDA, "maintain", RULES, None),
    "an admin": (WANDA, "admin", RULES, None),
    "triage may label, and yet not start": (WANDA, "triage", RULES, Refusal.OUTSIDER),
    "a reader": (WANDA, "read", RULES, Refusal.OUTSIDER),
    "a stranger": (WANDA, "none", RULES, Refusal.OUTSIDER),
    "we ourselves": (US, "admin", RULES, Refusal.OWN),
    "we ourselves, on the list of bots": (
        US,
        "admin",
        replace(RULES, bots=frozenset({99})),
        Refusal.OWN,
    ),
    "another bot": (BOT, "write", RULES, Refusal.BOT),
    "a listed bot": (BOT, "write", replace(RULES, bots=frozenset({50})), None),
    "a listed bot that may not write": (
        BOT,
        "read",
        replace(RULES, bots=frozenset({50})),
        Refusal.OUTSIDER,
    ),
    "a person with a listed bot's id": (
        Actor(50, "x", "User"),
        "none",
        replace(RULES, bots=frozenset({50})),
        Refusal.OUTSIDER,
    ),
    "an account that calls itself bot": (
        Actor(51, "nice[bot]", "User"),
        "none",
        RULES,
        Refusal.OUTSIDER,
    ),
    "an organization": (Actor(7, "acme", "Organization"), "admin", RULES, Refusal.NOBODY),
    "a deleted account": (Actor(0, "ghost", "User"), "admin", RULES, Refusal.NOBODY),
    "a kind that we do not know": (Actor(7, "x", "Mannequin"), "write", RULES, Refusal.NOBODY),
    "a named person": (WANDA, "write", replace(RULES, people=frozenset({"wanda"})), None),
    "a person not named": (
        RITA,
        "write",
        replace(RULES, people=frozenset({"wanda"})),
        Refusal.NOT_LISTED,
    ),
    "where we are switched off": (
        WANDA,
        "admin",
        replace(RULES, enabled=False),
        Refusal.DISABLED,
    ),
}


@pytest.mark.parametrize(
    ("sender", "permission", "rules", "refusal"), START.values(), ids=START.keys()
)
def test_a_run_may_be_started_by(
    sender: Actor, permission: Permission, rules: Rules, refusal: Refusal | None
) -> None:
    assert may_start(sender, permission, rules, own_id=99) is refusal


def test_a_run_can_be_stopped_where_we_are_switched_off() -> None:
    assert may_command(WANDA, "write", replace(RULES, enabled=False), own_id=99) is None


def test_bots_and_our_own_events_get_no_answer() -> None:
    assert {Refusal.OWN, Refusal.BOT, Refusal.NOBODY}.isdisjoint(ANSWERED)


@pytest.mark.parametrize(
    ("verb", "wanted"),
    [
        ("cancel", Touch("cancel", 4711, 7, "Wanda", "2026-11-22T10:00:00Z")),
        ("push", Touch("push", 4711, 7, "Wanda", "2026-11-22T10:00:00Z")),
        ("status", None),
        ("unknown", None),
    ],
)
def test_a_permitted_command_touches_the_active_run(verb: str, wanted: Touch | None) -> None:
    shop = RepositoryId(4711, "acme/shop", 11)
    said = Say(verb, shop, 12, 31, WANDA, "", "m", "2026-11-22T10:00:00Z", on_pull=True)
    assert touch(said, 7) == wanted


def counts(**changes: Any) -> Counts:
    none: dict[str, Any] = {
        "issue": 1,
        "repository": 1,
        "installation": 1,
        "active_repository": 1,
    }
    return Counts(**(none | changes))


@pytest.mark.parametrize(
    ("seen", "cap"),
    [
        (counts(), None),
        (counts(issue=5), None),
        (counts(issue=6), Cap("issue", 5, 5)),
        (counts(repository=20), None),
        (counts(repository=21), Cap("repository", 20, 20)),
    ],
)
def test_a_cap_is_reached(seen: Counts, cap: Cap | None) -> None:
    assert capped(seen, RULES) == cap


PULL = PullRequest(8, "u", "open", False, "fix", "a" * 40, "main", RITA, "", "acme")


def test_an_open_pull_request_of_somebody_else_makes_ours_a_duplicate() -> None:
    assert duplicate([], own_id=99) is None
    assert duplicate([PULL], own_id=99) is PULL
    assert duplicate([replace(PULL, author=US)], own_id=99) is None
    assert duplicate([replace(PULL, state="closed")], own_id=99) is None


@pytest.mark.parametrize(
    ("pull", "kind"),
    [
        (PULL, "somebody's"),
        (replace(PULL, author=US), "ours"),
        (replace(PULL, author=US, head_owner="Acme"), "ours"),
        (replace(PULL, head_owner="rita"), "fork"),
        (replace(PULL, author=US, head_owner="rita"), "fork"),
    ],
)
def test_a_pull_request_is_ours_or_somebodys_or_a_forks(pull: PullRequest, kind: str) -> None:
    assert pull_kind(pull, owner="acme", own_id=99) == kind


MISSING = NeedsInformation(("what happens now", "what should happen instead"))
TRIAGE: dict[str, tuple[str, str, str, Triage | None]] = {
    "a plain report": ("Totals are wrong", "They are off by one.", "", None),
    "a title that says it": ("Totals are off by one in cart.total", "", "", None),
    "a title that says nothing": ("Broken", "", "", MISSING),
    "a hint helps": ("Broken", "", "cart.total is off by one", None),
    "an empty template": (
        "Bug",
        "<!-- fill in -->\n### What happens\n\n**Expected**:\n",
        "",
        MISSING,
    ),
    "a filled template": ("Bug", "### What happens\nIt adds one.\n", "", None),
    "a list of wishes": ("Rework", "- [ ] x\n" * 16, "", TooLarge("it lists 16 open points")),
    "a short list": ("Rework", "- [ ] x\n" * 15, "", None),
    "a novel": ("Rework", "x" * 30_001, "", TooLarge("its text has 30,001 characters")),
    "all ticked": (
        "Rework",
        "- [x] a\n- [X] b",
        "",
        NothingToDo("every box of the issue is ticked"),
    ),
    "all ticked, and a hint": ("Rework", "- [x] a", "also c", None),
    "some ticked": ("Rework", "- [x] a\n- [ ] b", "", None),
}


@pytest.mark.parametrize(("title", "body", "hint", "wanted"), TRIAGE.values(), ids=TRIAGE.keys())
def test_an_issue_is_looked_at_before_work(
    title: str, body: str, hint: str, wanted: Triage | None
) -> None:
    assert triage(FrozenText(title, body, RITA, hint)) == wanted


WRITER = Voice("wanda", "text", "write")
READER = Voice("rita", "text", "read")
EDITOR = Voice("rita", "edit", "triage")


@pytest.mark.parametrize(
    ("mode", "voices", "wanted"),
    [
        ("outsiders", [WRITER], None),
        ("outsiders", [READER], Hold((READER,))),
        ("outsiders", [WRITER, EDITOR], Hold((EDITOR,))),
        (
            "outsiders",
            [WRITER, Voice("x", "comment", "none")],
            Hold((Voice("x", "comment", "none"),)),
        ),
        ("outsiders", [], None),
        ("never", [READER], None),
        ("always", [WRITER], Hold(())),
        ("always", [READER, WRITER], Hold((READER,))),
    ],
)
def test_a_change_waits_for_a_writer(
    mode: HoldMode, voices: list[Voice], wanted: Hold | None
) -> None:
    assert hold(mode, voices) == wanted


def test_only_comments_of_writers_from_before_the_trigger_belong_to_the_task() -> None:
    good = Comment(1, WANDA, "x", "2026-11-22T09:00:00Z")
    comments = [
        good,
        replace(good, id=2, edited_at="2026-11-22T10:00:00Z"),
        replace(good, id=3, edited_at="2026-11-22T09:59:59Z"),
        replace(good, id=4, created_at="2026-11-22T10:00:01+00:00"),
        replace(good, id=5, author=RITA),
        replace(good, id=6, author=US),
    ]
    found = admitted(comments, before="2026-11-22T10:00:00Z", writers={6, 99}, own_id=99)
    assert [one.id for one in found] == [1, 3]


DRAFTS = replace(RULES, drafts=True)


@pytest.mark.parametrize(
    ("status", "reason", "changed", "kind", "rules", "wanted"),
    [
        ("completed", "", True, "bug", RULES, "pull request"),
        ("completed", "", True, "docs", RULES, "draft"),
        ("completed", "", True, "bug", replace(RULES, always_draft=True), "draft"),
        ("completed", "", False, "bug", RULES, "answer"),
        ("failed", "unproven", True, "bug", RULES, "answer"),
        ("failed", "unproven", True, "bug", DRAFTS, "draft"),
        ("failed", "not verified", True, "bug", DRAFTS, "draft"),
        ("failed", "tests failed", True, "bug", DRAFTS, "answer"),
        ("failed", "budget", True, "bug", DRAFTS, "answer"),
        ("no_change", "", False, "bug", DRAFTS, "answer"),
        ("cancelled", "", True, "bug", DRAFTS, "answer"),
    ],
)
def test_a_finished_run_becomes(
    status: Any, reason: str, changed: bool, kind: str, rules: Rules, wanted: str
) -> None:
    assert publication(status, reason, changed=changed, kind=kind, rules=rules) == wanted
