"""The first and the last of an output are kept, whatever pieces it comes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sandbox.output import HeadTail


@given(st.lists(st.binary(max_size=40)), st.integers(min_value=1, max_value=20))
def test_both_ends_are_kept_and_the_rest_is_counted(pieces: list[bytes], keep: int) -> None:
    output = HeadTail(keep)
    for piece in pieces:
        output.feed(piece)
    whole = b"".join(pieces)
    left_out = len(whole) - 2 * keep
    line = b"\n[... %d bytes left out ...]\n" % left_out
    expected = whole if left_out <= 0 else whole[:keep] + line + whole[-keep:]
    assert output.render() == expected
    assert output.total == len(whole)
