"""A fault of our own on one command stops nobody else's."""

from __future__ import annotations

from bot.domain.forge import Forge
from bot.domain.runs import RepositoryId
from bot.errors import ForgeUnavailable
from bot.services.answer import AnswerCommands
from tests.e2e.bot.house import House


async def test_a_command_that_we_stumble_over_holds_up_no_other_and_is_given_up_in_the_end(
    house: House,
) -> None:
    first, second = house.issue(), house.issue()
    house.github.comment(first, "/acp help", by="ana")
    house.github.comment(second, "/acp help", by="ana")
    await house.arrive()
    stumbled: list[RepositoryId] = []

    async def forge(repository: RepositoryId) -> Forge:
        if not stumbled:
            stumbled.append(repository)
            raise KeyError("a field that was always there")
        return await house.app.forge(repository)

    answer = AnswerCommands(house.store, forge, house.rules, house.me.bot_id, house.page)
    await answer()
    assert len(house.told(second)) == 1
    assert [asked.say.number for asked in house.store.asked()] == [first.number]

    for _ in range(4):
        stumbled.clear()
        await answer()
    assert house.store.asked() == []
    assert house.told(first) == []


async def test_commands_whose_forge_is_away_hold_up_no_other(house: House) -> None:
    issue = house.issue()
    for number in range(21):
        house.github.comment(house.issue() if not number else issue, "/acp help", by="ana")
    await house.arrive()
    asked: list[RepositoryId] = []

    async def forge(repository: RepositoryId) -> Forge:
        asked.append(repository)
        if len(asked) != 21:
            raise ForgeUnavailable("no answer")
        return await house.app.forge(repository)

    answer = AnswerCommands(house.store, forge, house.rules, house.me.bot_id, house.page)
    await answer()
    assert house.told(issue) == []
    await answer()
    assert len(asked) == 21
    assert len(house.told(issue)) == 1
    house.github.clock.advance(6)
    await answer()
    assert len(asked) == 41
