"""The port `Tracker`: our emulator as Cloud and as Data Center, and jira820, all behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.adapters.jira.client import Declined
from bot.adapters.jira.tracker import JiraTracker
from bot.domain.jira import LoginRefused, Person, WebLink
from bot.emulators.jira.model import Entry
from bot.errors import (
    ForgeUnavailable,
    Misconfigured,
    NotAllowed,
    NotFound,
    RateLimited,
    Transient,
)
from tests.contract.tracker.trackers import Desk, EmulatorDesk, PeerDesk

LINK = WebLink("acp:1:2", "https://github.example/acme/shop/pull/2", "Pull request acme/shop#2")


@pytest.fixture(params=["cloud", "dc", "jira820"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    kind = request.param
    made: Desk = PeerDesk() if kind == "jira820" else EmulatorDesk(cloud=kind == "cloud")
    yield made
    made.close()


async def test_a_ticket_is_read_with_its_history(desk: Desk) -> None:
    key = desk.ticket(
        "Totals", "h2. Steps\r\n# add {{x}}", labels=["a", "repo:acme/shop"], components=["Till"]
    )
    desk.move(key, "Ready for ACP")
    desk.comment(key, "Mind *this*")
    ticket = await desk.tracker.ticket(key)
    assert (ticket.key, ticket.title, ticket.project) == (key, "Totals", "SHOP")
    assert ticket.text == "## Steps\n\n1. add `x`"
    assert (ticket.labels, ticket.components) == (("a", "repo:acme/shop"), ("Till",))
    assert ticket.number > 2**40
    (change,) = ticket.changes
    assert (change.field, change.before, change.after) == ("status", "To Do", "Ready for ACP")
    assert change.by.id == ticket.creator.id == ticket.remarks[0].by.id
    assert ticket.remarks[0].text == "Mind **this**"


async def test_what_is_said_is_found_again_if_it_is_ours(desk: Desk) -> None:
    key = desk.ticket("Totals")
    desk.comment(key, "_run 01X, started_")
    assert not await desk.tracker.said(key, "run 01X, started")
    await desk.tracker.say(key, "**At work** in `shop`\n\n_run 01X, started_")
    assert await desk.tracker.said(key, "run 01X, started")
    assert not await desk.tracker.said(key, "run 01X, ended")
    assert desk.bodies(key)[-1] == "*At work* in {{shop}}\n\n_run 01X, started_"


async def test_a_mark_is_found_among_many_comments(desk: Desk) -> None:
    key = desk.ticket("Totals")
    await desk.tracker.say(key, "_run 01X, started_")
    for number in range(120):
        desk.comment(key, f"and {number}")
    assert await desk.tracker.said(key, "run 01X, started")


async def test_70_the_same_link_twice_is_one(desk: Desk) -> None:
    key = desk.ticket("Totals")
    await desk.tracker.link(key, LINK)
    await desk.tracker.link(key, replace(LINK, title="Another title"))
    (link,) = desk.links(key)
    assert (link["globalId"], link["object"]["title"]) == ("acp:1:2", "Another title")
    assert link["object"]["url"] == LINK.url


async def test_the_same_file_twice_is_one(desk: Desk) -> None:
    key = desk.ticket("Totals")
    for _ in range(2):
        await desk.tracker.attach(key, "acp-01X.md", "the whole … of it")
    assert desk.files(key) == ["the whole … of it"]


async def test_a_ticket_is_moved_by_name_and_not_twice(desk: Desk) -> None:
    key = desk.ticket("Totals")
    assert await desk.tracker.move(key, "in review") == ""
    assert desk.status(key) == "In Review"
    before = desk.asked(f"POST /rest/api/2/issue/{key}/transitions")
    assert await desk.tracker.move(key, "In Review") == ""
    assert desk.asked(f"POST /rest/api/2/issue/{key}/transitions") == before


async def test_69_a_transition_that_is_not_there_is_told_in_words(desk: Desk) -> None:
    key = desk.ticket("Totals")
    why = await desk.tracker.move(key, "Nirvana")
    assert why == "no transition of that name leads on from To Do"
    assert desk.status(key) == "To Do"


async def test_71_tickets_are_searched_where_this_jira_has_its_search(desk: Desk) -> None:
    keys = [desk.ticket(f"number {number}") for number in range(3)]
    assert sorted(await desk.tracker.search("project = SHOP")) == keys
    cloud = isinstance(desk, EmulatorDesk) and desk.jira.cloud
    assert bool(desk.asked("/search/jql")) == cloud


async def test_a_long_history_is_read_whole(desk: Desk) -> None:
    key = desk.ticket("Totals")
    for number in range(115):
        desk.move(key, "In Progress" if number % 2 else "Ready for ACP")
    ticket = await desk.tracker.ticket(key)
    assert [one.before for one in ticket.changes].count("To Do") == 1
    assert len({one.id for one in ticket.changes}) == len(ticket.changes) == 115


async def test_an_unknown_ticket_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="SHOP-404 is not on"):
        await desk.tracker.ticket("SHOP-404")


async def test_a_wrong_token_is_told_without_showing_it(desk: Desk) -> None:
    assert isinstance(desk, EmulatorDesk | PeerDesk)
    stranger = JiraTracker(replace(desk.site, token="stolen-token"))
    with pytest.raises(NotAllowed, match="Jira refuses the login") as caught:
        await stranger.me()
    assert "stolen-token" not in str(caught.value)


async def test_what_is_read_is_asked_again_where_jira_is_away_or_busy(desk: Desk) -> None:
    key = desk.ticket("Totals")
    desk.fail(503, 429)
    assert (await desk.tracker.ticket(key)).title == "Totals"
    assert desk.naps == [0.5, 2.0]


async def test_a_jira_that_stays_away_is_unavailable(desk: Desk) -> None:
    desk.fail(502, 502, 502)
    with pytest.raises(ForgeUnavailable):
        await desk.tracker.me()
    desk.fail(429, 429, 429)
    with pytest.raises(RateLimited):
        await desk.tracker.me()


@pytest.mark.parametrize("status", [503, 429])
async def test_what_is_written_is_never_sent_twice(desk: Desk, status: int) -> None:
    key = desk.ticket("Totals")
    desk.fail(status)
    with pytest.raises(Transient):
        await desk.tracker.say(key, "once")
    assert desk.asked(f"POST /rest/api/2/issue/{key}/comment") == 1
    assert desk.bodies(key) == []


class TestOfTheEmulatorAlone:
    """What jira820 does not do."""

    async def test_a_ticket_that_nobody_shows_a_dead_token_is_not_gone(
        self, desk: EmulatorDesk
    ) -> None:
        key = desk.ticket("Totals")
        await desk.tracker.me()
        desk.jira.state.tokens.clear()
        desk.jira.break_down(404, path=f"/issue/{key}")  # as Cloud answers whom it does not know
        with pytest.raises(LoginRefused):
            await desk.tracker.ticket(key)

    async def test_a_history_beyond_all_bounds_is_told_to_be_cut(self) -> None:
        desk = EmulatorDesk(cloud=True)
        ticket = desk.jira.state.issues[desk.ticket("Totals")]
        for number in range(2_150):
            ticket.history.append(Entry(str(number), desk.ana, number, (("rank", "", "x"),)))
        try:
            found = (await desk.tracker.ticket(ticket.key)).changes
        finally:
            desk.close()
        assert {one.by.id for one in found if one.field == "description"} == {""}
        ids = [int(one.id) for one in found if one.field == "rank"]
        assert set(range(2_000)) | set(range(2_050, 2_150)) == set(ids)
        assert desk.asked(f"GET /rest/api/2/issue/{ticket.key}/changelog") == 20

    @pytest.fixture(params=["cloud", "dc"])
    def desk(self, request: pytest.FixtureRequest) -> Iterator[EmulatorDesk]:
        made = EmulatorDesk(cloud=request.param == "cloud")
        yield made
        made.close()

    async def test_groups_custom_fields_files_and_links(self, desk: EmulatorDesk) -> None:
        where, criteria = desk.jira.field("ACP Repository"), desk.jira.field("Criteria")
        fields = {where: "acme/shop", criteria: "* every price"}
        key = desk.ticket("Totals", fields=fields)
        ticket = desk.jira.state.issues[key]
        desk.jira.attach(ticket, "till.log", b"12345", desk.ana)
        desk.jira.block(ticket, desk.jira.ticket("Prices", by=desk.ana))
        tracker = JiraTracker(desk.site, repository_field="acp repository", criteria_field=criteria)
        found = await tracker.ticket(key)
        assert (found.repository, found.criteria) == ("acme/shop", "- every price")
        assert (found.attached[0].name, found.attached[0].size) == ("till.log", 5)
        assert (found.linked[0].how, found.linked[0].key) == ("is blocked by", "SHOP-2")
        assert await tracker.groups(found.creator) == {"developers"}
        with pytest.raises(NotFound):
            await tracker.groups(Person("nobody", "Nobody"))

    async def test_a_field_that_is_not_there_is_named(self, desk: EmulatorDesk) -> None:
        tracker = JiraTracker(desk.site, criteria_field="Wishes")
        with pytest.raises(Misconfigured, match="no field 'Wishes'"):
            await tracker.ticket(desk.ticket("Totals"))

    async def test_69_a_transition_that_needs_a_field_is_told(self, desk: EmulatorDesk) -> None:
        key = desk.ticket("Totals")
        assert await desk.tracker.move(key, "Done") == "Field 'resolution' is required."
        assert desk.status(key) == "To Do"

    async def test_a_hidden_project_is_not_found(self, desk: EmulatorDesk) -> None:
        key = desk.ticket("Totals")
        desk.jira.hide("SHOP")
        with pytest.raises(NotFound):
            await desk.tracker.say(key, "hello")

    async def test_68_a_document_is_read_like_wiki_text(self, desk: EmulatorDesk) -> None:
        text = {"type": "text", "text": "Every price"}
        document = {"type": "doc", "content": [{"type": "paragraph", "content": [text]}]}
        assert (await desk.tracker.ticket(desk.ticket("T", document))).text == "Every price"

    async def test_71_a_search_that_is_gone_names_the_setting(self) -> None:
        desk = EmulatorDesk(cloud=True)
        basic = replace(desk.site, flavor="dc")
        try:
            with pytest.raises(Misconfigured, match="set JIRA_FLAVOR=cloud"):
                await JiraTracker(basic).search("project = SHOP")
        finally:
            desk.close()

    async def test_a_comment_that_is_too_long_is_declined(self, desk: EmulatorDesk) -> None:
        with pytest.raises(Declined) as caught:
            await desk.tracker.say(desk.ticket("Totals"), "x" * 40_000)
        assert caught.value.said == "Comment body is not valid!"
