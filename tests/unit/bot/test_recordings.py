"""A run as one file, and the folder that keeps such files."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.recordings import Bases, Recordings, read_recording
from bot.errors import NotFound, UserError
from pipeline.journal import Entry
from pipeline.recording import BadRecording, Recording, glance

FACTS = {"task": "Totals\n\nare wrong", "repo": "/r", "base_tree": "b" * 40}
RUN = Recording(
    name="01RUN",
    at="2026-11-22T10:00:00",
    source="acp run",
    entries={
        "run": Entry("", FACTS),
        "1.drafting.gpt.model.1": Entry("d", {"message": "straße \udc80"}),
        "1.drafting.gpt.model.2": Entry("e", None),
    },
    base=b"PACK\0bytes",
)


def changed(old: bytes, new: bytes) -> bytes:
    text = gzip.decompress(RUN.to_bytes())
    assert text.count(old) >= 1
    return gzip.compress(text.replace(old, new, 1))


def test_a_recording_comes_back_equal_and_makes_the_same_bytes_again() -> None:
    data = RUN.to_bytes()
    again = Recording.from_bytes(data)
    assert again == RUN
    assert list(again.entries) == list(RUN.entries)
    assert again.to_bytes() == data


def test_the_head_is_read_from_the_beginning_alone() -> None:
    head = glance(RUN.to_bytes()[:200])
    assert (head["name"], head["title"], head["outcome"]) == ("01RUN", "Totals", "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a journal of acp"),
        (b"hello", "not a journal of acp"),
        (gzip.compress(b"{}\n", mtime=0), "not a journal of acp"),
        (gzip.compress(b"[" * 100_000, mtime=0), "not a journal of acp"),
        (RUN.to_bytes()[:-20], "cut off: copy the whole file"),
        (RUN.to_bytes()[:40] + b"\0" + RUN.to_bytes()[41:], "damaged|changed|cut off"),
        (changed(b'"acp_journal":1', b'"acp_journal":2'), "version 2; this release reads 1"),
        (changed(b"Totals", b"Losses"), "was changed, or cut off"),
        (gzip.compress(gzip.decompress(RUN.to_bytes())[:-1]), "changed, or cut off"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(BadRecording, match=said):
        Recording.from_bytes(data)


def test_a_file_that_unpacks_without_end_is_refused() -> None:
    bomb = gzip.compress(b"\0" * (2**29 + 10), compresslevel=1)
    with pytest.raises(BadRecording, match="larger than 512 MiB"):
        Recording.from_bytes(bomb)


def test_recordings_are_found_by_the_end_of_their_name(tmp_path: Path) -> None:
    kept = Recordings(tmp_path / "journals")
    kept.save(RUN, "local")
    kept.save(replace(RUN, name="02OTHER"), "imported")
    assert [(one.name, one.origin) for one in kept.all()] == [
        ("02OTHER", "imported"),
        ("01RUN", "local"),
    ]
    found = kept.find("1run")
    assert found is not None
    assert read_recording(found.path) == RUN
    assert kept.find("nothing") is None
    kept.save(RUN, "imported")  # one's own run, taken back: the same bytes, one name
    assert kept.find("01RUN") is not None


def test_another_run_of_the_same_name_does_not_take_its_place(tmp_path: Path) -> None:
    kept = Recordings(tmp_path)
    kept.save(RUN, "imported")
    with pytest.raises(UserError, match="another journal of run 01RUN is here"):
        kept.save(replace(RUN, base=None), "imported")


@pytest.mark.parametrize("name", ["../up", "a/b", "", "a b"])
def test_a_name_of_strangers_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="is not a name that a run has"):
        Recordings(tmp_path).save(replace(RUN, name=name), "imported")


def test_of_local_runs_the_newest_are_kept(tmp_path: Path) -> None:
    kept = Recordings(tmp_path)
    for number in range(53):
        kept.save(replace(RUN, name=f"{number:03}X"), "local")
    names = {one.name for one in kept.all()}
    assert (len(names), "002X" in names, "003X" in names) == (50, False, True)


def test_a_damaged_file_is_not_listed_and_is_explained_when_read(tmp_path: Path) -> None:
    kept = Recordings(tmp_path)
    path = kept.save(RUN, "local")
    path.write_bytes(b"\x1f\x8bnothing")
    assert kept.all() == []
    with pytest.raises(UserError, match="damaged"):
        read_recording(path)
    with pytest.raises(NotFound, match="there is no file"):
        read_recording(tmp_path / "nowhere")


def test_the_bases_that_were_not_used_for_longest_go_first(tmp_path: Path) -> None:
    bases = Bases(tmp_path / "bases", most_bytes=25)
    for number, tree in enumerate(("a", "b")):
        bases.put(tree, b"0123456789")
        os.utime(tmp_path / "bases" / f"{tree}.pack", (number, number))
    assert bases.has("a")  # used again: now b is the oldest
    bases.put("c", b"0123456789")
    assert (bases.get("a"), bases.get("b"), bases.has("b")) == (b"0123456789", None, False)
