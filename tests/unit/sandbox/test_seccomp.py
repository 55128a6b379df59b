"""The filters refuse what they should on both architectures: judged by running the programs."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox import seccomp, syscalls
from tests.unit.sandbox.machine import Call, verdict

MACHINES = sorted(seccomp.ARCHITECTURES)
UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK, BLUETOOTH = 1, 2, 10, 16, 17, 38, 40, 31
STREAM, DATAGRAM, RAW, SEQPACKET = 1, 2, 3, 5
NONBLOCK_CLOEXEC = 0o2000000 | 0o4000
NEW_USER, SIGCHLD, THREAD = 0x10000000, 17, 0x3D0F00
FAST_OPEN = 0x20000000
HIGH = 1 << 32


def judged(program: bytes, machine: str, name: str, *args: int) -> int:
    found = seccomp.ARCHITECTURES[machine]
    return verdict(program, Call(found.numbers[name], found.audit, args))


CASES = {
    "a socket to the machine's own host": ("socket", (VSOCK, STREAM), errno.EAFNOSUPPORT),
    "the kernel's cryptography": ("socket", (ALG, SEQPACKET), errno.EAFNOSUPPORT),
    "raw packets": ("socket", (PACKET, RAW), errno.EAFNOSUPPORT),
    "another family": ("socket", (BLUETOOTH, STREAM), errno.EAFNOSUPPORT),
    "a family with bits that the kernel ignores": (
        "socket",
        (VSOCK + HIGH, STREAM),
        errno.EAFNOSUPPORT,
    ),
    "netlink besides routes": ("socket", (NETLINK, RAW, 12), errno.EPROTONOSUPPORT),
    "a pair of another family": ("socketpair", (30, STREAM), errno.EAFNOSUPPORT),
    "the keyring": ("keyctl", (), errno.EPERM),
    "a key": ("add_key", (), errno.EPERM),
    "a key on request": ("request_key", (), errno.EPERM),
    "io_uring": ("io_uring_setup", (8,), errno.EPERM),
    "programs for the kernel": ("bpf", (), errno.EPERM),
    "faults in user space": ("userfaultfd", (), errno.EPERM),
    "performance counters": ("perf_event_open", (), errno.EPERM),
    "memory of others": ("process_vm_readv", (), errno.EPERM),
    "a mount": ("mount", (), errno.EPERM),
    "a mount the new way": ("fsopen", (), errno.EPERM),
    "another's namespace": ("setns", (), errno.EPERM),
    "a user namespace": ("unshare", (NEW_USER,), errno.EPERM),
    "a user namespace besides others": ("unshare", (NEW_USER | 0x400,), errno.EPERM),
    "a time namespace": ("unshare", (0x80,), errno.EPERM),
    "a child in a user namespace": ("clone", (NEW_USER | SIGCHLD,), errno.EPERM),
    "a child in a network namespace": ("clone", (0x40000000 | SIGCHLD,), errno.EPERM),
    "flags that a filter cannot see": ("clone3", (), errno.ENOSYS),
    "typing into a terminal": ("ioctl", (0, 0x5412), errno.EPERM),
    "typing with bits that the kernel ignores": ("ioctl", (0, 0x5412 + HIGH), errno.EPERM),
    "the console": ("ioctl", (0, 0x541C), errno.EPERM),
}
ORDINARY = {
    "a local socket": ("socket", (UNIX, STREAM | NONBLOCK_CLOEXEC)),
    "a network socket": ("socket", (INET, STREAM)),
    "a datagram": ("socket", (INET6, DATAGRAM)),
    "the own addresses": ("socket", (NETLINK, RAW, 0)),
    "a pair": ("socketpair", (UNIX, DATAGRAM)),
    "a child": ("clone", (SIGCHLD,)),
    "a thread": ("clone", (THREAD,)),
    "own file descriptors": ("unshare", (0x400,)),
    "the size of a terminal": ("ioctl", (0, 0x5413)),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", CASES)
def test_refused_is(case: str, machine: str) -> None:
    name, args, error = CASES[case]
    assert judged(seccomp.namespaced(machine), machine, name, *args) == error


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("case", ORDINARY)
def test_allowed_is(case: str, machine: str) -> None:
    name, args = ORDINARY[case]
    assert judged(seccomp.namespaced(machine), machine, name, *args) == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_is_refused_by_its_number_alone_only_where_we_say_so(machine: str) -> None:
    found = seccomp.ARCHITECTURES[machine]
    program = seccomp.namespaced(machine)
    by_argument = {"socket", "socketpair", "clone", "unshare", "ioctl"}
    conditional = {found.numbers[name] for name in by_argument}
    refused = {
        number
        for number in range(syscalls.NEWEST + 1)
        if number not in conditional and verdict(program, Call(number, found.audit))
    }
    only_shared = {
        "open",
        "openat",
        "openat2",
        "truncate",
        "kill",
        "tkill",
        "tgkill",
        "fcntl",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        "pidfd_send_signal",
        "prlimit64",
        "sendto",
        "sendmsg",
        "sendmmsg",
        "setpriority",
        "ioprio_set",
    }
    families = ("sched_", "shm", "sem", "msg", "mq_")
    named = {
        number
        for name, number in found.numbers.items()
        if name not in by_argument | only_shared and not name.startswith(families)
    }
    assert refused == named


@pytest.mark.parametrize("machine", MACHINES)
def test_what_the_filter_has_never_heard_of_is_not_there(machine: str) -> None:
    found = seccomp.ARCHITECTURES[machine]
    program = seccomp.namespaced(machine)
    read = Call(0, found.audit)
    assert verdict(program, read) == 0
    for number in (syscalls.NEWEST + 1, 500, 0x40000000, 0x40000000 + 41, 0x7FFFFFFF):
        assert verdict(program, Call(number, found.audit)) == errno.ENOSYS
    for foreign in (0x40000003, 0x40000028, 0xC00000F3, *_others(machine)):
        assert verdict(program, Call(0, foreign)) == errno.ENOSYS


def _others(machine: str) -> list[int]:
    return [found.audit for name, found in seccomp.ARCHITECTURES.items() if name != machine]


@pytest.mark.parametrize("machine", MACHINES)
def test_without_namespaces_there_are_no_sockets_but_pairs_of_streams(machine: str) -> None:
    program = seccomp.shared(machine)
    for family in (UNIX, INET, INET6, NETLINK, VSOCK):
        for kind in (STREAM, DATAGRAM, RAW):
            assert judged(program, machine, "socket", family, kind) == errno.EAFNOSUPPORT
    for kind in (STREAM, SEQPACKET, STREAM | NONBLOCK_CLOEXEC):
        assert judged(program, machine, "socketpair", UNIX, kind) == 0
    for kind in (DATAGRAM, RAW, DATAGRAM | NONBLOCK_CLOEXEC):
        assert judged(program, machine, "socketpair", UNIX, kind) == errno.EPROTONOSUPPORT


@pytest.mark.parametrize("machine", MACHINES)
def test_without_namespaces_other_processes_are_left_alone(machine: str) -> None:
    program = seccomp.shared(machine)
    for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setattr"):
        assert judged(program, machine, name, 0) == 0
        assert judged(program, machine, name, 4711) == errno.EPERM
    for name in ("setpriority", "ioprio_set"):
        assert judged(program, machine, name, 0, 0) == 0
        assert judged(program, machine, name, 0, 4711) == errno.EPERM
    assert judged(seccomp.namespaced(machine), machine, "prlimit64", 4711) == 0
    for name in ("shmget", "shmat", "semop", "msgrcv", "mq_open"):
        assert judged(program, machine, name) == errno.EPERM
        assert judged(seccomp.namespaced(machine), machine, name) == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_where_landlock_does_not_see_it_no_file_is_cut_short_unless_open_for_writing(
    machine: str,
) -> None:
    program = seccomp.shared(machine, cuts=False)
    assert judged(program, machine, "truncate") == errno.EPERM
    assert judged(program, machine, "openat2") == errno.ENOSYS
    calls = [("openat", 2), ("open", 1)] if machine == "x86_64" else [("openat", 2)]
    for name, arg in calls:
        before = (0,) * arg
        for flags in (0, 1, 2, 0o100 | 0x200 | 1, 0x200 | 2):
            assert judged(program, machine, name, *before, flags) == 0
        for flags in (0x200, 0x200 | 0o100, 0x200 | 3):
            assert judged(program, machine, name, *before, flags) == errno.EPERM
    for name in ("truncate", "openat", "openat2"):
        assert judged(seccomp.shared(machine), machine, name, 0, 0, 0x200) == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_where_landlock_does_not_hold_signals_only_the_own_group_gets_one(machine: str) -> None:
    program = seccomp.shared(machine, signals=False)
    assert judged(program, machine, "kill", 0, 15) == 0
    for target in (1, 4711, 0xFFFFFFFF, 0xFFFFFFFF - 4711):
        assert judged(program, machine, "kill", target, 15) == errno.EPERM
    for name in ("tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"):
        assert judged(program, machine, name, 0) == errno.EPERM
        assert judged(seccomp.shared(machine), machine, name, 4711) == 0
    assert judged(program, machine, "fcntl", 3, 2) == 0
    for command in (8, 15):
        assert judged(program, machine, "fcntl", 3, command, 4711) == errno.EPERM
    assert judged(program, machine, "ioctl", 3, 0x5413) == 0
    for command in (0x8901, 0x8902, 0x5412):
        assert judged(program, machine, "ioctl", 3, command) == errno.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_in_setup_without_namespaces_there_is_tcp_that_landlock_can_see(machine: str) -> None:
    program = seccomp.shared(machine, tcp=True)
    stream = (INET, STREAM | NONBLOCK_CLOEXEC)
    assert judged(program, machine, "socket", *stream, 0) == 0
    assert judged(program, machine, "socket", *stream, 6) == 0
    multipath, sctp = 262, 132
    for protocol in (multipath, sctp):
        assert judged(program, machine, "socket", *stream, protocol) == errno.EPROTONOSUPPORT
    assert judged(program, machine, "socket", INET, DATAGRAM) == errno.EPROTONOSUPPORT
    assert judged(program, machine, "socket", UNIX, STREAM) == errno.EAFNOSUPPORT
    for name, arg in (("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)):
        args = [0, 0, 0, 0]
        assert judged(program, machine, name, *args) == 0
        args[arg] = FAST_OPEN | 0x4000
        assert judged(program, machine, name, *args) == errno.EOPNOTSUPP


def test_a_machine_that_we_have_no_table_for_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        seccomp.namespaced("riscv64")


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed here")
    text = HEADERS[machine].read_text()
    listed = {m[1]: int(m[2]) for m in re.finditer(r"#define __NR\w*?_(\w+)\s+(\d+)", text)}
    ours = dict(seccomp.ARCHITECTURES[machine].numbers)
    since = {name: number for name, number in ours.items() if number > max(listed.values())}
    assert {name: listed[name] for name in ours.keys() - since} == {
        name: ours[name] for name in ours.keys() - since
    }
