"""A small machine that runs a system call filter as the kernel would."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ALLOWED = 0
LOAD, EQUAL, GREATER, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06
MOST_STEPS = 4096


@dataclass(frozen=True)
class Call:
    """What the filter sees: `struct seccomp_data`."""

    number: int
    architecture: int
    args: tuple[int, ...] = ()

    def packed(self) -> bytes:
        args = (*self.args, 0, 0, 0, 0, 0, 0)[:6]
        return struct.pack("<iIQ6Q", self.number, self.architecture, 0, *args)


def verdict(program: bytes, call: Call) -> int:
    """The error that the call gets, 0 where it is allowed."""
    steps = list(struct.iter_unpack("<HBBI", program))
    assert 0 < len(steps) <= MOST_STEPS
    data, accumulator, at = call.packed(), 0, 0
    while True:
        code, true, false, value = steps[at]
        at += 1
        if code == LOAD:
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code == AND:
            accumulator &= value
        elif code == RETURN:
            return answered(value)
        else:
            at += true if holds(code, accumulator, value) else false


def holds(code: int, accumulator: int, value: int) -> bool:
    return {
        EQUAL: accumulator == value,
        GREATER: accumulator > value,
        AT_LEAST: accumulator >= value,
        ANY_BIT: bool(accumulator & value),
    }[code]


def answered(value: int) -> int:
    if value == 0x7FFF0000:
        return ALLOWED
    assert value & 0xFFFF0000 == 0x00050000, f"neither allowed nor an error: {value:#x}"
    return value & 0xFFFF
