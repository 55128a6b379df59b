"""What is a command, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.commands import MEANINGS, Command, again, nearest, parse

CASES = {
    "run alone": ("/acp run", Command("run")),
    "run with a hint": ("/acp run keep the API as it is", Command("run", "keep the API as it is")),
    "run with a point": ("/acp run.", Command("run")),
    "run with a colon": ("/acp run: only reading.py", Command("run", "only reading.py")),
    "after other text": ("Looks good to me.\n\n/acp run", Command("run")),
    "in the middle of a paragraph": ("Looks good\n/acp run\nthanks", Command("run")),
    "Windows line ends": ("please\r\n/acp run now\r\nthanks", Command("run", "now")),
    "old Mac line ends": ("please\r/acp status\rthanks", Command("status")),
    "up to three blanks": ("   /acp run", Command("run")),
    "tabs between": ("/acp\trun\tnow", Command("run", "now")),
    "capital letters": ("/ACP Run", Command("run")),
    "stop is cancel": ("/acp stop", Command("cancel")),
    "two words": ("/acp fix  CI please", Command("fix ci", "please")),
    "the first one counts": ("/acp status\n/acp run", Command("status")),
    "nothing behind it": ("/acp", Command("help")),
    "nothing but blanks behind it": ("/acp   ", Command("help")),
    "after a fence": ("```\nx\n```\n/acp run", Command("run")),
    "after a quote and a blank line": ("> what now?\n\n/acp run", Command("run")),
    "after a code span": ("`x` is wrong\n/acp run", Command("run")),
    "after a comment": ("<!-- template -->\n/acp run", Command("run")),
    "a lone backtick before": ("it`s broken\n/acp run", Command("run")),
    "a code span in the hint": ("/acp run look at `f`", Command("run", "look at `f`")),
    "a comment in the hint": ("/acp run now <!-- or later -->", Command("run", "now")),
    "a longer word": ("/acp runaway", Command("unknown", "runaway")),
    "fix without ci": ("/acp fix it", Command("unknown", "fix")),
    "fix cinema": ("/acp fix cinema", Command("unknown", "fix")),
    "no word": ("/acp 🚀", Command("unknown", "🚀")),
    "in a sentence": ("please /acp run", None),
    "glued": ("/acprun", None),
    "with a dash": ("/acp-run", None),
    "a path": ("/acp/run", None),
    "an indented block": ("    /acp run", None),
    "a tab": ("\t/acp run", None),
    "a list": ("- /acp run", None),
    "a quote": ("> /acp run", None),
    "a quote without blank": (">/acp run", None),
    "right below a quote": ("> what now?\n/acp run", None),
    "a fence": ("```\n/acp run\n```", None),
    "a fence of tildes": ("~~~ text\n/acp run\n~~~", None),
    "a fence that never ends": ("```\n/acp run", None),
    "a longer fence": ("````\n```\n/acp run\n````", None),
    "a fence with an info string as end": ("```\n``` sh\n/acp run\n```", None),
    "a code span over lines": ("see `this\n/acp run\nthere`", None),
    "two backticks over lines": ("see ``this `\n/acp run\nthere``", None),
    "an HTML comment": ("<!--\n/acp run\n-->", None),
    "an HTML comment that never ends": ("<!--\n/acp run", None),
    "behind the end of a comment": ("<!--\n-->/acp run", None),
    "two comments": ("<!-- a --> b <!--\n/acp run\n-->", None),
    "a pre element": ("<pre>\n/acp run\n</pre>", None),
    "a code element": ("<code>\n\n/acp run\n</code>", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("body", "command"), CASES.values(), ids=CASES.keys())
def test_a_comment_is_read_as(body: str, command: Command | None) -> None:
    assert parse(body) == command


def test_a_long_hint_is_cut() -> None:
    command = parse("/acp run " + "x" * 100_000)
    assert command is not None
    assert len(command.argument) == 2000


@given(st.text(alphabet="/acp run\n`~<>!- \t\r\\x", max_size=200))
def test_any_text_is_read_without_error_and_nothing_quoted_is_a_command(body: str) -> None:
    parse(body)
    assert parse("````\n" + body.replace("````", "") + "\n") is None
    assert parse("".join(f"> {line}\n" for line in body.splitlines())) is None


@given(st.text(max_size=50), st.sampled_from(sorted(set(MEANINGS) - {"help"})))
def test_a_command_after_a_blank_line_is_heard_below_any_plain_text(text: str, verb: str) -> None:
    plain = "".join(char for char in text if char.isalnum() or char == " ")
    command = parse(f"{plain}\n\n/acp {verb}")
    assert command is not None
    assert command.verb == verb


def test_many_backticks_are_read_in_time_that_grows_with_their_number() -> None:
    runs = " ".join("`" * n for n in range(1, 500))
    assert parse(f"{runs}\n\n/acp run") == Command("run")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("rum", "run"), ("statsu", "status"), ("fix", "fix ci"), ("cancle", "cancel"), ("xyzzy", "")],
)
def test_a_mistyped_verb_is_recognised(word: str, meant: str) -> None:
    assert nearest(word) == meant


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        ("--again", (True, "")),
        ("--again but smaller", (True, "but smaller")),
        ("do it --again", (True, "do it")),
        ("--against all odds", (False, "--against all odds")),
        ("", (False, "")),
    ],
)
def test_again_is_asked_for_in_the_hint(hint: str, wanted: tuple[bool, str]) -> None:
    assert again(hint) == wanted
