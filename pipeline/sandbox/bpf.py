"""Writes system call filters: checks in, a classic BPF program out.

A program is an array of `struct sock_filter` (linux/filter.h) that reads `struct seccomp_data`
(linux/seccomp.h); what bubblewrap's `--seccomp` and the kernel's `prctl` take.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

_LOAD, _EQUAL, _GREATER, _AT_LEAST, _ANY_BIT = 0x20, 0x15, 0x25, 0x35, 0x45
_AND, _RETURN = 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
# Set in the number of a call of the x32 interface of x86-64; no other architecture goes so high.
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class Check:
    """Refuses a call with `error`: always, or by the low word of the argument `arg`.

    `refuse` says which values: those that have any of the bits of `values`, those that are among
    them, or all others. Before comparing, `mask` is applied. Where `given` (argument, value) is
    set, the check holds only for calls with that value.
    """

    error: int
    arg: int = 0
    refuse: Literal["always", "bits", "among", "others"] = "always"
    values: tuple[int, ...] = ()
    mask: int = 0xFFFFFFFF
    given: tuple[int, int] | None = None


class _Step(NamedTuple):
    code: int
    value: int
    true: int = 0
    false: int = 0


def assemble(
    architecture: int, newest: int, unknown: int, checks: Iterable[tuple[int, Sequence[Check]]]
) -> bytes:
    """A program that allows what no check refuses.

    Calls of another architecture, of the x32 interface, and with a number above `newest` (which
    this filter has never heard of) fail with the error `unknown`. `checks` are pairs of a call's
    number and its checks.
    """
    steps = [_Step(_LOAD, _ARCHITECTURE), _Step(_EQUAL, architecture, 1, 0), _refused(unknown)]
    steps += [_Step(_LOAD, _NUMBER), _Step(_AT_LEAST, _X32, 1, 0), _Step(_GREATER, newest, 0, 1)]
    steps += [_refused(unknown)]
    for number, wanted in checks:
        body = [step for check in wanted for step in _body(check)]
        if wanted[-1].refuse != "always":
            body.append(_Step(_RETURN, _ALLOW))
        steps += [_Step(_EQUAL, number, 0, len(body)), *body]
    steps.append(_Step(_RETURN, _ALLOW))
    return b"".join(struct.pack("=HBBI", s.code, s.true, s.false, s.value) for s in steps)


def _refused(error: int) -> _Step:
    return _Step(_RETURN, _ERROR | error)


def _body(check: Check) -> list[_Step]:
    if check.refuse == "always":
        return [_refused(check.error)]
    tests = [_low_word(check.arg), _Step(_AND, check.mask), *_tests(check)]
    if check.given is None:
        return tests
    arg, value = check.given
    return [_low_word(arg), _Step(_EQUAL, value, 0, len(tests)), *tests]


def _tests(check: Check) -> list[_Step]:
    """Ends with the refusal; every way around it goes to the step after it."""
    if check.refuse == "bits":
        return [_Step(_ANY_BIT, _united(check.values), 0, 1), _refused(check.error)]
    last = len(check.values) - 1
    if check.refuse == "others":
        equal = [_Step(_EQUAL, v, last - i + 1, 0) for i, v in enumerate(check.values)]
    else:
        equal = [_Step(_EQUAL, v, last - i, int(i == last)) for i, v in enumerate(check.values)]
    return [*equal, _refused(check.error)]


def _united(bits: tuple[int, ...]) -> int:
    whole = 0
    for bit in bits:
        whole |= bit
    return whole


def _low_word(arg: int) -> _Step:
    # Little-endian, as x86-64 and arm64 are: the low word of the 64 bits comes first.
    return _Step(_LOAD, _ARGUMENTS + 8 * arg)
