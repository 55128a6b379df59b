"""What strangers wrote, on its way to a ticket: Jira reads nothing of it as markup."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.jira.to_wiki import to_wiki


def test_an_unknown_language_an_empty_cell_and_an_address_of_jira_are_written_as_text() -> None:
    said = "```diff\n-a\n```\n\n| a | b |\n|---|---|\n| | x |\n\n[me](~ana) [file](^a.log)"
    assert to_wiki(said) == "{code}\n-a\n{code}\n\n||a||b||\n| |x|\n\nme (\\~ana) file (%5Ea.log)"


def test_a_mark_in_code_ends_no_block_and_mentions_nobody() -> None:
    assert to_wiki("```py\n{Code} [~ana] {NoFormat}\n```") == (
        "{noformat}\n{Code} [ ~ana] { NoFormat}\n{noformat}"
    )


HOSTILE = st.lists(
    st.sampled_from(
        ["[~ana]", "[~accountid:5:a]", "{code}", "{code:java}", "{noformat}", "{quote}", "{panel}",
         "{color:red}", "{", "}", "}}", "{{", "[", "~", "|", "!x!", "\\", "\n", "\n\n", "`", "```",
         "\n```\n", "\n~~~\n", "> ", "* ", "<b>", "</details>", "<!--", "&#91;~ana&#93;", "](~ana)",
         "[x](https://e.org/{code}|~b)", "https://e.org/[~ana]", "\u200b", "ana", " "]
    ),
    max_size=12,
).map("".join)  # fmt: skip
PLACE = st.sampled_from(
    ["{}", "- {}", "> {}", "`{}`", "**{}**", "[{}](https://e.org)", "[x]({})",
     "| a |\n|---|\n| {} |", "```py\n{}\n```", "````\n{}\n````", "    {}",
     "<details><summary>{}</summary>\n\n{}\n</details>"]
)  # fmt: skip
OPENED = re.compile(r"\{(code|noformat)(?::\w+)?\}\n")


def outside(wiki: str) -> str:
    """What Jira reads as markup: all but the insides of blocks, each of which must end."""
    parts, at = [], 0
    while found := OPENED.search(wiki, at):
        end = wiki.index(f"\n{{{found[1]}}}", found.end() - 1)
        assert "[~" not in wiki[found.end() : end]
        parts.append(wiki[at : found.start()])
        at = end + len(found[1]) + 3
    return "\n".join([*parts, wiki[at:]])


@settings(max_examples=300, deadline=None)
@given(PLACE, HOSTILE)
def test_hostile_text_mentions_nobody_opens_nothing_and_breaks_out_of_no_block(
    place: str, said: str
) -> None:
    wiki = to_wiki(place.replace("{}", said))
    assert "[~" not in wiki
    assert "|~" not in outside(wiki)
    markup = re.sub(r"\\.", "", outside(wiki))  # without what is escaped
    markup = re.sub(r"\{quote\}$|\{\{|\}\}", "", markup, flags=re.MULTILINE)
    assert not set("{}") & set(markup)
    assert markup.count("!") == 0
