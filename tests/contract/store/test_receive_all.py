"""Several deliveries in one transaction: as if each had come alone, but all of them or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.adapters.store.sql import SqlStore
from bot.domain.store import Nothing, Start


def test_each_is_answered_in_its_place(desk: Any) -> None:
    orders = [
        (desk.delivery("a"), Start(desk.request(1))),
        (desk.delivery("b"), Nothing("nothing")),
        (desk.delivery("a"), Start(desk.request(1))),
        (desk.delivery("c"), Start(desk.request(1))),
        (desk.delivery("d"), Start(desk.request(2))),
    ]
    receipts = desk.store.receive_all(orders)
    assert [one.outcome for one in receipts] == [
        "started",
        "ignored",
        "duplicate",
        "duplicate",
        "started",
    ]
    assert receipts[0].run_id == receipts[2].run_id == receipts[3].run_id
    assert len(desk.store.runs()) == 2
    assert desk.store.receive_all([]) == []


def test_all_of_them_or_none(desk: Any, tmp_path: Path) -> None:
    store = SqlStore.open(f"sqlite:///{tmp_path / 'other.db'}")
    good, bad = (desk.delivery("good"), Start(desk.request(1))), (desk.delivery("bad"), None)
    with pytest.raises(AttributeError):
        store.receive_all([good, bad])  # type: ignore[list-item]
    assert store.runs() == []
    assert store.receive(*good).outcome == "started"
    store.close()
