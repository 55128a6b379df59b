"""The tester sees what a change adds, never how."""

from __future__ import annotations

from pipeline.agents.signatures import added

AFTER = """
class Sieve(Base):
    limit = 3
    def __init__(self, n: int = 3) -> None:
        self.n = n
    async def primes(self, *, upto: int) -> list[int]:
        return [2]
    def _hidden(self): ...

def old(x): return x
def fresh(a, b=1): return a
"""


def test_only_what_is_new_and_public_is_shown_without_bodies() -> None:
    assert added({"m.py": "def old(x): return 1"}, {"m.py": AFTER}) == (
        "# m.py\n"
        "class Sieve(Base)\n"
        "def Sieve.__init__(self, n: int=3) -> None\n"
        "async def Sieve.primes(self, *, upto: int) -> list[int]\n"
        "def fresh(a, b=1)"
    )


def test_a_change_of_bodies_alone_shows_nothing() -> None:
    assert added({"m.py": "def f(): return 1"}, {"m.py": "def f(): return 2"}) == ""


def test_a_file_that_does_not_parse_is_left_out() -> None:
    assert added({}, {"m.py": "def ("}) == ""
