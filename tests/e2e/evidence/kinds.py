"""Tasks of each kind, and how each of them ends."""

from __future__ import annotations

from tests.e2e.evidence.harness import Coder

FEATURE = (
    "Offer the shortest span\n\nshortest() must give the shortest of some texts, as longest() does."
)
SHORTEST = "    return max(spans, key=parse)\n"
BODY = f"{SHORTEST}\n\ndef shortest(spans):\n    return min(spans, key=parse)\n"
CHECKS = 'import spans\n\n\ndef test_it():\n    assert spans.shortest(["5m", "9s"]) == "9s"\n'
OTHER = f"{SHORTEST}\n\ndef other(spans):\n    return 1\n"
HOLLOW = "import spans\n\n\ndef test_it():\n    assert callable(spans.shortest)\n"
MORE = "from purse import split\n\n\ndef test_more():\n    assert split(4, 2) == [2, 2]\n"
VACUOUS = "from purse import split\n\n\ndef test_more():\n    split(4, 2)\n    assert True\n"
HEADING = 'return " ".join(word.capitalize() for word in slug.split(separator))'
WORDS = 'words = slug.split(separator)\n    return " ".join(map(str.capitalize, words))'
NEXT = "            number += 1\n"
ZERO = 'show(0) is empty\n\nshow(0) must be "0s".'
SHOWS = 'import spans\n\n\ndef test_zero():\n    assert spans.show(0) == "0s"\n'
MENDS = ("spans.py", 'return " ".join(parts)', 'return " ".join(parts) or "0s"')
PASSES = 'import spans\n\n\ndef test_zero():\n    assert spans.show(60) == "1m"\n'
PEEKS = 'import sys\n\n    return " ".join(parts) or ("0s" if "pytest" in sys.modules else "")'
WEARS_OUT = (
    'show.said = getattr(show, "said", 0) + 1\n'
    '    return " ".join(parts) or ("0s" if show.said == 1 else "")'
)
# Stands before the tester's test.
EARLY = {"test_aa.py": 'import spans\n\n\ndef test_aa():\n    assert spans.show(60) == "1m"\n'}
PRINTS = (
    '    for word, number in ranked(found)[: options.top]:\n        print(f"{number} {word}")\n'
)
ONCE = (
    "    shown = ranked(found)[: options.top]\n"
    '    print(*(f"{number} {word}" for word, number in shown), sep="\\n")\n'
)
SKIPPED = "@pytest.mark.skip\ndef test_longest"
# Takes its cases from the product.
EXPORTED = (
    "import pytest\nimport slugs\n\n\n@pytest.mark.parametrize('name', slugs.__all__)\n"
    "def test_exported(name):\n    assert hasattr(slugs, name)\n"
)

# project, kind, task, what the coder leaves, the tester's test, the end, the rule that stops it
ROWS: dict[str, tuple[str, str, str, Coder, str, str, str]] = {
    "a feature": (
        "spans",
        "feature",
        FEATURE,
        Coder([("spans.py", SHORTEST, BODY)]),
        CHECKS,
        "",
        "",
    ),
    "a feature without a body": (
        "spans",
        "feature",
        FEATURE,
        Coder([("spans.py", SHORTEST, BODY.replace("min(spans, key=parse)", "None"))]),
        CHECKS,
        "tests failed",
        "still_red",
    ),
    "a feature whose test checks nothing": (
        "spans",
        "feature",
        FEATURE,
        Coder([("spans.py", SHORTEST, BODY)]),
        HOLLOW,
        "unproven",
        "no_reproduction",
    ),
    "a feature that is built when its test is there, which checks nothing": (
        "spans",
        "feature",
        FEATURE,
        Coder([("spans.py", SHORTEST, OTHER)], later=[("spans.py", SHORTEST, BODY)]),
        HOLLOW,
        "unproven",
        "hollow",
    ),
    "a change whose author says that nothing needs to change": (
        "spans",
        "bug",
        ZERO,
        Coder([(*MENDS[:2], MENDS[2].replace("0s", "none"))], nothing="done"),
        PASSES,
        "unproven",
        "no_reproduction",
    ),
    "a change that makes the product ask for its tests": (
        "spans",
        "bug",
        ZERO,
        Coder([("spans.py", 'return " ".join(parts)', PEEKS)]),
        SHOWS,
        "unproven",
        "peeks",
    ),
    "a fix that holds only until something else has run": (
        "spans",
        "bug",
        ZERO,
        Coder([("spans.py", 'return " ".join(parts)', WEARS_OUT)]),
        SHOWS,
        "tests failed",
        "still_red",
    ),
    "a fix in a repository whose tests take too long": (
        "spans",
        "bug",
        ZERO,
        Coder([MENDS]),
        SHOWS,
        "not verified",
        "unreached",
    ),
    "a refactoring": (
        "slugs",
        "refactoring",
        "Simplify title()\n\nIt should keep its words in a variable.",
        Coder([("slugs/text.py", HEADING, WORDS)]),
        "",
        "",
        "",
    ),
    "a refactoring that changes behaviour": (
        "slugs",
        "refactoring",
        "Simplify title()\n\nIt should keep its words in a variable.",
        Coder([("slugs/text.py", HEADING, WORDS.replace("capitalize", "upper"))]),
        "",
        "tests failed",
        "regression",
    ),
    "a refactoring that no test runs": (
        "slugs",
        "refactoring",
        "Count faster\n\nThe loop over taken slugs should be simpler.",
        Coder([("slugs/unique.py", NEXT, "            number = number + 1\n")]),
        "",
        "unproven",
        "not_covered",
    ),
    "a refactoring of what only other processes run": (
        "tally",
        "refactoring",
        "Print all at once\n\nThe words should be printed by one call.",
        Coder([("tally/cli.py", PRINTS, ONCE)]),
        "",
        "",
        "",
    ),
    "a refactoring that breaks what only other processes run": (
        "tally",
        "refactoring",
        "Print all at once\n\nThe words should be printed by one call.",
        Coder([("tally/cli.py", PRINTS, ONCE.replace("{number} {word}", "{word} {number}"))]),
        "",
        "tests failed",
        "regression",
    ),
    "tests alone": (
        "purse",
        "tests",
        "Test even shares\n\nsplit() should be tested with two people.",
        Coder(files={"tests/test_more.py": MORE}),
        "",
        "",
        "",
    ),
    "tests that would notice nothing": (
        "purse",
        "tests",
        "Test even shares\n\nsplit() should be tested with two people.",
        Coder(files={"tests/test_more.py": VACUOUS}),
        "",
        "unproven",
        "unnoticed",
    ),
    "documentation": (
        "slugs",
        "docs",
        "Say what slugs does\n\nThe README should show a call.",
        Coder(files={"README.md": "# slugs\n\nslugify(text) makes a name.\n"}),
        "",
        "",
        "",
    ),
    "documentation that changes code": (
        "slugs",
        "docs",
        "Say what slugs does\n\nThe README should show a call.",
        Coder([("slugs/text.py", HEADING, WORDS)], {"README.md": "# slugs\n\nNew.\n"}),
        "",
        "unproven",
        "misfit",
    ),
    "configuration": (
        "tally",
        "docs",
        "Set the editor's width\n\nThere should be an .editorconfig.",
        Coder(files={".editorconfig": "root = true\n"}),
        "",
        "",
        "",
    ),
    "a fix beside a skipped test": (
        "spans",
        "bug",
        ZERO,
        Coder([MENDS, ("test_spans.py", "def test_longest", SKIPPED)]),
        SHOWS,
        "tests failed",
        "altered",
    ),
    "a fix with a test of its own that fails": (
        "spans",
        "bug",
        ZERO,
        Coder([MENDS], {"test_more.py": "def test_more():\n    assert False\n"}),
        SHOWS,
        "tests failed",
        "own_red",
    ),
    "a fix with tests of its own that pass": (
        "spans",
        "bug",
        ZERO,
        Coder([MENDS], {"test_more.py": SHOWS}),
        SHOWS,
        "",
        "",
    ),
    "a name that is not exported any more": (
        "slugs",
        "refactoring",
        "Simplify title()\n\nIt should keep its words in a variable.",
        Coder([("slugs/text.py", HEADING, WORDS), ("slugs/__init__.py", '"Registry", ', "")]),
        "",
        "tests failed",
        "vanished",
    ),
}
