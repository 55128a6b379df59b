"""Bugs modelled on real ones, in the small projects under `tests/data/projects`.

An edit is (path, old text, new text); each old text occurs once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Edit = tuple[str, str, str]


@dataclass(frozen=True)
class Bug:
    """A bug: its issue (the last line is quoted), the test of it, a true fix and a wrong one."""

    project: str
    issue: str
    test: str
    fix: Sequence[Edit]
    wrong: Sequence[Edit]

    @property
    def quote(self) -> str:
        return self.issue.splitlines()[-1]


# What breaks a test that has nothing to do with the bug.
BREAKS: Mapping[str, Edit] = {
    "slugs": ("slugs/text.py", "word.capitalize()", "word.upper()"),
    "spans": ("spans.py", "return max(", "return min("),
    "purse": ("src/purse/amounts.py", ":02d}", ":d}"),
    "plurals": ("plurals.py", '"mice"', '"mouses"'),
    "roman": ("roman.py", "read(one) + read(other)", "read(one) * read(other)"),
    "pool": ("pool/__init__.py", "done.pop().result()", "tasks[0].result()"),
    "tally": ("tally/cli.py", "max(found, key=len)", "min(found, key=len)"),
}

BUGS: Mapping[str, Bug] = {
    "a cut slug ends with a separator": Bug(
        "slugs",
        "slugify(max_length=...) leaves a dangling dash\n\n"
        'slugify("one two", max_length=4) must give "one".',
        "from slugs import slugify\n\n\ndef test_cut():\n"
        '    assert slugify("one two", max_length=4) == "one"\n'
        '    assert slugify("one two three", max_length=8) == "one-two"\n',
        [("slugs/text.py", "slug[:max_length]", "slug[:max_length].strip(separator)")],
        [("slugs/text.py", "slug[:max_length]", "slug[: max_length - 1]")],
    ),
    "unknown text inside a span is passed over": Bug(
        "spans",
        'parse() accepts rubbish\n\nparse("1h banana") must raise ValueError, not give 3600.',
        "import pytest\nimport spans\n\n\ndef test_rubbish():\n"
        '    for text in ("1h banana", "x 5m"):\n'
        "        with pytest.raises(ValueError):\n            spans.parse(text)\n"
        '    assert spans.parse("1h 5m") == 3900\n',
        [("spans.py", "if not found:", 'if not found or _PART.sub("", text).strip():')],
        [("spans.py", "if not found:", 'if not found or text.endswith("banana"):')],
    ),
    "no time is shown as nothing": Bug(
        "spans",
        'show(0) is empty\n\nshow(0) must be "0s".',
        'import spans\n\n\ndef test_zero():\n    assert spans.show(0) == "0s"\n'
        '    assert spans.show(60) == "1m"\n',
        [("spans.py", 'return " ".join(parts)', 'return " ".join(parts) or "0s"')],
        [("spans.py", "        if number:\n", "        if number or unit == 's':\n")],
    ),
    "a share loses the rest of a division": Bug(
        "purse",
        "split() loses cents\n\n"
        "split(100, 3) must give shares that add up to 100, the first ones a cent larger.",
        "from purse import split\n\n\ndef test_rest():\n    assert split(100, 3) == [34, 33, 33]\n"
        "    assert split(101, 3) == [34, 34, 33]\n    assert split(2, 3) == [1, 1, 0]\n",
        [
            (
                "src/purse/shares.py",
                "    return [cents // people] * people\n",
                "    share, rest = divmod(cents, people)\n"
                "    return [share + (n < rest) for n in range(people)]\n",
            )
        ],
        [
            (
                "src/purse/shares.py",
                "    return [cents // people] * people\n",
                "    share, rest = divmod(cents, people)\n"
                "    return [share + rest, *[share] * (people - 1)]\n",
            )
        ],
    ),
    "tenths are read as hundredths": Bug(
        "purse",
        'parse("1.5") is a cent amount\n\nparse("1.5") must be 150, as 1.5 is 1.50.',
        'from purse import parse\n\n\ndef test_tenths():\n    assert parse("1.5") == 150\n'
        '    assert parse("-0.5") == -50\n    assert parse("1.05") == 105\n',
        [("src/purse/amounts.py", "int(part or 0)", 'int(part.ljust(2, "0"))')],
        [("src/purse/amounts.py", "int(part or 0)", "int(part or 0) * 10")],
    ),
    "a vowel before y": Bug(
        "plurals",
        'plural("day") is "daies"\n\nA word with a vowel before its y only takes an s: "days".',
        'from plurals import plural\n\n\ndef test_vowel():\n    assert plural("day") == "days"\n'
        '    assert plural("key") == "keys"\n    assert plural("city") == "cities"\n',
        [
            (
                "plurals.py",
                'if word.endswith("y"):',
                'if word.endswith("y") and word[-2:-1] not in "aeiou":',
            )
        ],
        [("plurals.py", 'if word.endswith("y"):', 'if word.endswith("y") and word[-2:-1] != "a":')],
    ),
    "eleventh": Bug(
        "plurals",
        'ordinal(11) is "11st"\n\n11, 12 and 13 end in "th", also in 111 or 212.',
        "from plurals import ordinal\n\n\ndef test_teens():\n"
        "    for number in (11, 12, 13, 111, 212):\n"
        '        assert ordinal(number) == f"{number}th"\n    assert ordinal(22) == "22nd"\n',
        [
            (
                "plurals.py",
                "{endings.get(number % 10, 'th')}",
                "{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}",
            )
        ],
        [
            (
                "plurals.py",
                "{endings.get(number % 10, 'th')}",
                "{'th' if number in (11, 12, 13) else endings.get(number % 10, 'th')}",
            )
        ],
    ),
    "nine hundred": Bug(
        "roman",
        'write(900) is "DCCCC"\n\nwrite(900) must be "CM", and read("CM") must be 900.',
        "from roman import read, write\n\n\ndef test_nine_hundred():\n"
        '    assert write(900) == "CM"\n    assert write(1999) == "MCMXCIX"\n'
        '    assert read("CM") == 900\n',
        [("roman.py", '[("M", 1000), ', '[("M", 1000), ("CM", 900), ')],
        [
            (
                "roman.py",
                '    text = ""\n',
                '    if number == 900:\n        return "CM"\n    text = ""\n',
            )
        ],
    ),
    "results come in the order of finishing": Bug(
        "pool",
        "gather_limited() mixes results up\n\n"
        "The results must stand in the order of the calls, whichever is done first.",
        "import asyncio\nfrom pool import gather_limited\n\n\nasync def give(value, ticks):\n"
        "    for _ in range(ticks):\n        await asyncio.sleep(0)\n    return value\n\n\n"
        "def test_order():\n"
        "    calls = [lambda: give(1, 9), lambda: give(3, 0), lambda: give(2, 4)]\n"
        "    assert asyncio.run(gather_limited(3, calls)) == [1, 3, 2]\n",
        [
            (
                "pool/__init__.py",
                "            results.append(await call())\n",
                "            return await call()\n",
            ),
            ("pool/__init__.py", "    results = []\n", ""),
            ("pool/__init__.py", "    await asyncio.gather(", "    return await asyncio.gather("),
            ("pool/__init__.py", "\n    return results\n", "\n"),
        ],
        [("pool/__init__.py", "    return results\n", "    return sorted(results)\n")],
    ),
    "the last error is swallowed": Bug(
        "pool",
        "retry() returns None when all tries fail\n\n"
        "After the last try the ConnectionError must be raised.",
        "import asyncio\nimport pytest\nfrom pool import retry\n\n\ndef test_raised():\n"
        "    tries = []\n\n    async def call():\n        tries.append(1)\n"
        '        raise ConnectionError(f"try {len(tries)}")\n\n'
        "    with pytest.raises(ConnectionError):\n        asyncio.run(retry(call))\n"
        "    assert len(tries) == 3\n",
        [
            ("pool/__init__.py", "for _ in range(times):", "for left in reversed(range(times)):"),
            (
                "pool/__init__.py",
                "            await asyncio.sleep(0)\n",
                "            if not left:\n                raise\n"
                "            await asyncio.sleep(0)\n",
            ),
        ],
        [("pool/__init__.py", "            await asyncio.sleep(0)\n", "            raise\n")],
    ),
    "ten stands behind nine": Bug(
        "tally",
        "Wrong order from ten occurrences on\n\n"
        "A word that occurs ten times must stand before one that occurs nine times.",
        "from tally.words import ranked\n\n\ndef test_ten():\n"
        '    assert ranked({"a": 99, "b": 10, "c": 100})[0][0] == "c"\n'
        '    assert ranked({"a": 9, "b": 10})[0][0] == "b"\n',
        [("tally/words.py", "(str(pair[1]), pair[0])", "(pair[1], pair[0])")],
        [("tally/words.py", "(str(pair[1]), pair[0])", "(str(pair[1]).zfill(2), pair[0])")],
    ),
    "no input ends with a traceback": Bug(
        "tally",
        "tally --longest crashes on empty input\n\n"
        "Without any word tally --longest must print nothing and exit with code 1.",
        "import subprocess, sys\n\n\ndef test_empty():\n"
        '    argv = [sys.executable, "-m", "tally", "--longest"]\n'
        '    done = subprocess.run(argv, input="", capture_output=True, text=True)\n'
        '    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")\n',
        [
            (
                "tally/cli.py",
                "    if options.longest:\n",
                "    if options.longest and not found:\n        return 1\n"
                "    if options.longest:\n",
            )
        ],
        [
            (
                "tally/cli.py",
                "    if options.longest:\n",
                "    if not found:\n        return 0\n    if options.longest:\n",
            )
        ],
    ),
}
