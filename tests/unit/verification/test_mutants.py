"""Mutants are wrong in one thing each, on the lines asked for, and the same ones each time."""

from __future__ import annotations

from pipeline.verification.mutants import mutants

SOURCE = (
    "def clamp(n, low, high):\n"
    '    """Bound n."""\n'
    "    if n < low:\n"
    "        return low\n"
    "    return min(n, high) + 0\n"
    "\n\n"
    "def other():\n"
    "    return 7\n"
)
LINES = {"m.py": (2, 3, 4, 5)}


def test_every_mutant_differs_from_the_source_and_from_the_others() -> None:
    found = mutants({"m.py": SOURCE}, LINES, 20)
    texts = [mutant.source for mutant in found]
    assert len(set(texts)) == len(texts) >= 5
    assert all("def clamp" in text and "return 7" in text for text in texts)
    assert all(mutant.line in LINES["m.py"] for mutant in found)


def test_what_is_returned_is_made_wrong_first_and_docstrings_never() -> None:
    found = mutants({"m.py": SOURCE}, LINES, 20)
    assert found[0].what == "nothing is returned"
    assert not any("Bound n" in mutant.what for mutant in found)
    assert found[0].describe() == "m.py:5: nothing is returned"


def test_the_number_is_bounded_and_spread_over_files() -> None:
    found = mutants({"a.py": SOURCE, "b.py": SOURCE}, {"a.py": (4, 5), "b.py": (4, 5)}, 3)
    assert [mutant.path for mutant in found] == ["a.py", "b.py", "a.py"]
    assert found == mutants({"a.py": SOURCE, "b.py": SOURCE}, {"a.py": (4, 5), "b.py": (4, 5)}, 3)


def test_lines_that_did_not_run_and_broken_files_give_none() -> None:
    assert mutants({"m.py": SOURCE}, {}, 9) == []
    assert mutants({"m.py": "def ("}, {"m.py": (1,)}, 9) == []
