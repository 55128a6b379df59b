"""What every store promises about a run's log, journal and effects: nothing without the epoch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bot.domain.runs import RunStatus
from bot.domain.store import Entry, Fenced, Store

if TYPE_CHECKING:
    from tests.contract.store.conftest import Desk

WRITES: dict[str, Callable[[Store, str, int], object]] = {
    "append": lambda store, run, epoch: store.append(run, epoch, "log", {}),
    "reserve": lambda store, run, epoch: store.reserve(run, epoch, "k", "d"),
    "record": lambda store, run, epoch: store.record(run, epoch, "k", "d", {}),
    "forget": lambda store, run, epoch: store.forget(run, epoch, ""),
    "intend": lambda store, run, epoch: store.intend(run, epoch, "push"),
    "done": lambda store, run, epoch: store.done(run, epoch, "push", {}),
    "move": lambda store, run, epoch: store.move(run, epoch, RunStatus.FINISHED),
}


@pytest.fixture
def begun(desk: Desk) -> tuple[str, int]:
    run_id = desk.start()
    return run_id, desk.store.begin(run_id, "w")


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("why", ["overtaken", "finished", "unknown"])
def test_nothing_is_written_by_one_who_was(
    store: Store, begun: tuple[str, int], write: str, why: str
) -> None:
    run_id, epoch = begun
    store.record(run_id, epoch, "kept", "d", {"n": 1})
    if why == "overtaken":
        store.begin(run_id, "w2")
    if why == "finished":
        store.move(run_id, epoch, RunStatus.FINISHED)
    with pytest.raises(Fenced):
        WRITES[write](store, "nobody" if why == "unknown" else run_id, epoch)
    assert list(store.journal(run_id)) == ["kept"]
    assert list(store.events(run_id)) == []
    assert store.effect(run_id, "push") is None


def test_the_log_has_no_gaps_and_is_read_from_anywhere(
    store: Store, begun: tuple[str, int]
) -> None:
    seqs = [store.append(*begun, "log", {"n": n, "text": "é\U0001f4a5"}) for n in range(4)]
    assert seqs == [1, 2, 3, 4]
    later = store.events(begun[0], after=2)
    assert [(line.seq, line.kind, line.data["n"]) for line in later] == [
        (3, "log", 2),
        (4, "log", 3),
    ]
    assert later[0].data["text"] == "é\U0001f4a5"
    assert later[0].at < later[1].at
    assert [line.seq for line in store.events(begun[0], limit=1)] == [1]
    assert list(store.events("nobody")) == []


def test_a_line_with_a_known_key_is_not_written_again(store: Store, begun: tuple[str, int]) -> None:
    store.append(*begun, "log", {})
    first = store.append(*begun, "checkpoint", {"n": 1}, key="coding:1")
    run_id, _ = begun
    epoch = store.begin(run_id, "w2")
    assert store.append(run_id, epoch, "checkpoint", {"n": 2}, key="coding:1") == first == 2
    assert store.append(run_id, epoch, "checkpoint", {"n": 3}, key="testing:1") == 3
    assert [line.data.get("n") for line in store.events(run_id)] == [None, 1, 3]


def test_many_hands_write_one_log(store: Store, begun: tuple[str, int]) -> None:
    with ThreadPoolExecutor(6) as pool:
        seqs = list(pool.map(lambda n: store.append(*begun, "log", {"n": n}), range(30)))
    assert sorted(seqs) == list(range(1, 31))


def test_an_entry_is_reserved_then_filled(store: Store, begun: tuple[str, int]) -> None:
    store.reserve(*begun, "coding/1/1", "d1")
    assert store.journal(begun[0]) == {"coding/1/1": Entry("coding/1/1", "d1", None, 1)}
    store.record(*begun, "coding/1/1", "d1", {"text": "patch \u2603", "usd": 0.1})
    filled = store.journal(begun[0])["coding/1/1"]
    assert filled.reply == {"text": "patch \u2603", "usd": 0.1}
    assert (filled.digest, filled.tries) == ("d1", 1)


def test_a_second_reservation_is_counted(store: Store, begun: tuple[str, int]) -> None:
    store.reserve(*begun, "k", "d1")
    run_id, _ = begun
    epoch = store.begin(run_id, "w2")
    store.reserve(run_id, epoch, "k", "d2")
    store.record(run_id, epoch, "k", "d2", {})
    assert store.journal(run_id)["k"] == Entry("k", "d2", {}, 2)


def test_forgetting_drops_what_begins_alike_and_nothing_else(
    store: Store, begun: tuple[str, int]
) -> None:
    for key in ("qa/1/1", "qa/1/2", "QA/1/1", "qa/10/1", "coding/1/1", "q%/1"):
        store.record(*begun, key, "d", {})
    store.forget(*begun, "qa/1/")
    assert set(store.journal(begun[0])) == {"QA/1/1", "coding/1/1", "q%/1", "qa/10/1"}
    store.forget(*begun, "q%")
    assert set(store.journal(begun[0])) == {"QA/1/1", "coding/1/1", "qa/10/1"}


def test_a_run_reads_its_own_journal(desk: Desk, begun: tuple[str, int]) -> None:
    other = desk.start(2)
    desk.store.record(*begun, "k", "d", {})
    assert dict(desk.store.journal(other)) == {}


def test_an_effect_is_intended_then_done(store: Store, begun: tuple[str, int]) -> None:
    assert store.intend(*begun, "pull_request") is None
    assert store.effect(begun[0], "pull_request") is None
    assert store.intend(*begun, "pull_request") is None
    store.done(*begun, "pull_request", {"number": 12})
    assert store.effect(begun[0], "pull_request") == {"number": 12}
    run_id, _ = begun
    epoch = store.begin(run_id, "w2")
    assert store.intend(run_id, epoch, "pull_request") == {"number": 12}
    store.done(run_id, epoch, "pull_request", {"number": 13})
    assert store.effect(run_id, "pull_request") == {"number": 13}
