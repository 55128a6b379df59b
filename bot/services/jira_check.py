"""What still stands between a set-up Jira and its first run, as sentences with their mends."""

from __future__ import annotations

from fnmatch import fnmatchcase

from bot.domain.jira import Tracker
from bot.domain.jira_policy import TicketRules
from bot.errors import BotError


def unsaid(rules: TicketRules) -> tuple[str, ...]:
    """What the settings leave open; asks nobody."""
    said = []
    if not rules.repositories:
        said.append("tickets may name no repository; set ACP_JIRA_REPOSITORIES")
    if not rules.people and not rules.groups:
        said.append("nobody may start runs from tickets; set ACP_JIRA_PEOPLE or ACP_JIRA_GROUPS")
    mapped = {**rules.projects, **rules.components}
    for name, repository in mapped.items():
        allowed = (fnmatchcase(repository.lower(), one.lower()) for one in rules.repositories)
        if rules.repositories and not any(allowed):
            said.append(f"{name} is mapped to {repository}, which ACP_JIRA_REPOSITORIES leaves out")
    return tuple(said)


async def unseen(tracker: Tracker, rules: TicketRules) -> tuple[str, ...]:
    """What Jira does not let the account do: log in, see the projects, find the fields."""
    try:
        await tracker.me()
    except BotError as error:
        return (str(error),)
    said = []
    for project in rules.projects:
        try:
            keys = await tracker.search(f"project = {project}", limit=1)
            for key in keys:
                await tracker.ticket(key)
        except BotError as error:
            said.append(f"project {project}: {error}")
            continue
        if not keys:
            said.append(
                f"Jira shows no ticket of {project} to the bot's account; give it the right to "
                "browse the project, or mend ACP_JIRA_PROJECTS"
            )
    return tuple(dict.fromkeys(said))
