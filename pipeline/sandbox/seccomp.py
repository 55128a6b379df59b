"""Which system calls a sandboxed command may not make, for each architecture that we know.

Namespaces do not hold these back: virtual sockets to the machine's host, the kernel's keyring,
io_uring (which also goes around this filter), new namespaces as a way to more of the kernel.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.bpf import Check, assemble
from pipeline.sandbox.syscalls import ARM64, NEWEST, X86_64


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the kernel calls it (linux/audit.h), and its numbers of system calls."""

    audit: int
    numbers: Mapping[str, int]


ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, X86_64),
    "aarch64": Architecture(0xC00000B7, ARM64),
}

_REFUSED = (
    *("add_key", "request_key", "keyctl", "bpf", "perf_event_open", "userfaultfd", "memfd_secret"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "setns", "fanotify_init"),
    *(
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "move_mount",
        "open_tree",
        "open_tree_attr",
        "fsopen",
        "fsconfig",
    ),
    *("fsmount", "fspick", "mount_setattr", "open_by_handle_at", "quotactl", "quotactl_fd"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot"),
    *("swapon", "swapoff", "acct", "nfsservctl", "sethostname", "setdomainname", "iopl", "ioperm"),
    *("modify_ldt", "syslog", "_sysctl", "lookup_dcookie", "uselib", "settimeofday", "vhangup"),
    *("clock_settime", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd"),
    *("kcmp", "migrate_pages", "move_pages"),
)
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h).
_NAMESPACES = (0x20000, 1 << 25, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30)
_NEW_TIME = 0x80
# TIOCSTI and TIOCLINUX type into a terminal; TIOCSETD loads line disciplines.
_TERMINAL = (0x5412, 0x541C, 0x5423)
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_KIND = 0xF  # the type of a socket without SOCK_NONBLOCK and SOCK_CLOEXEC
_FASTOPEN = 0x20000000

_ALWAYS: dict[str, tuple[Check, ...]] = {
    **{name: (Check(errno.EPERM),) for name in _REFUSED},
    # Its flags lie in memory, where a filter cannot look: libc falls back to clone.
    "clone3": (Check(errno.ENOSYS),),
    "clone": (Check(errno.EPERM, 0, "bits", _NAMESPACES),),
    "unshare": (Check(errno.EPERM, 0, "bits", (*_NAMESPACES, _NEW_TIME)),),
    "ioctl": (Check(errno.EPERM, 1, "among", _TERMINAL),),
    "socketpair": (Check(errno.EAFNOSUPPORT, 0, "others", (_UNIX,)),),
}


def _families(*allowed: int) -> Check:
    return Check(errno.EAFNOSUPPORT, 0, "others", allowed)


# Of netlink only the table of routes: the C library looks there for the own addresses.
_NAMESPACED = {
    "socket": (
        _families(_UNIX, _INET, _INET6, _NETLINK),
        Check(errno.EPROTONOSUPPORT, 2, "others", (0,), given=(0, _NETLINK)),
    ),
}


def _own(arg: int) -> tuple[Check, ...]:
    """Only for the caller itself (0): others of the same user id may be the host's."""
    return (Check(errno.EPERM, arg, "others", (0,)),)


# Memory, semaphores and queues that every process of the same user id finds by a number.
_SYSTEM_V = (
    *("shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl", "mq_open"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_unlink"),
)

# Where the host's processes, network and socket files are in sight. A pair of datagram sockets
# could be pointed at any socket file later, a pair of streams cannot.
_SHARED = {
    **{name: (Check(errno.EPERM),) for name in _SYSTEM_V},
    "socketpair": (
        *_ALWAYS["socketpair"],
        Check(
            errno.EPROTONOSUPPORT,
            1,
            "others",
            (socket.SOCK_STREAM, socket.SOCK_SEQPACKET),
            _KIND,
        ),
    ),
    **{name: _own(0) for name in ("prlimit64", "sched_setaffinity", "sched_setscheduler")},
    **{name: _own(0) for name in ("sched_setparam", "sched_setattr")},
    **{name: _own(1) for name in ("setpriority", "ioprio_set")},
}
_CUTS, _WAY_OF_OPENING = 0x200, 0o3  # O_TRUNC, O_ACCMODE
# What is opened for reading, or for neither, and cut short by it.
_CUTTING = (_CUTS, _CUTS | _WAY_OF_OPENING)
# Before Linux 6.2 Landlock does not see that a file is cut short.
_NO_CUTS = {
    "truncate": (Check(errno.EPERM),),
    "open": (Check(errno.EPERM, 1, "among", _CUTTING, _CUTS | _WAY_OF_OPENING),),
    "openat": (Check(errno.EPERM, 2, "among", _CUTTING, _CUTS | _WAY_OF_OPENING),),
    "openat2": (Check(errno.ENOSYS),),
}
_SIGNALLING = ("tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")
# F_SETOWN and F_SETOWN_EX, FIOSETOWN and SIOCSPGRP: who gets a signal when there is something to
# read.
_OWNERS, _OWNERS_BY_IOCTL = (8, 15), (0x8901, 0x8902)
# Before Linux 6.12 Landlock does not hold signals: of the same user only the own group gets one.
_NO_SIGNALS = {
    "kill": (Check(errno.EPERM, 0, "others", (0,)),),
    **{name: (Check(errno.EPERM),) for name in _SIGNALLING},
    "fcntl": (Check(errno.EPERM, 1, "among", _OWNERS),),
    "ioctl": (Check(errno.EPERM, 1, "among", (*_TERMINAL, *_OWNERS_BY_IOCTL)),),
}
_NO_NETWORK = {"socket": (Check(errno.EAFNOSUPPORT),)}
# The rest is Landlock's, which governs TCP by port. It does not see a connection that is opened by
# sending, nor one of a protocol that merely resembles TCP.
_TCP_ONLY = {
    "socket": (
        _families(_INET, _INET6),
        Check(errno.EPROTONOSUPPORT, 1, "others", (socket.SOCK_STREAM,), _KIND),
        Check(errno.EPROTONOSUPPORT, 2, "others", (0, socket.IPPROTO_TCP)),
    ),
    "sendto": (Check(errno.EOPNOTSUPP, 3, "bits", (_FASTOPEN,)),),
    "sendmsg": (Check(errno.EOPNOTSUPP, 2, "bits", (_FASTOPEN,)),),
    "sendmmsg": (Check(errno.EOPNOTSUPP, 3, "bits", (_FASTOPEN,)),),
}


@cache
def namespaced(machine: str | None = None) -> bytes:
    """The filter for a sandbox with namespaces of its own. Raises SandboxUnavailable."""
    return _program(machine, {**_ALWAYS, **_NAMESPACED})


@cache
def shared(
    machine: str | None = None, *, tcp: bool = False, cuts: bool = True, signals: bool = True
) -> bytes:
    """The filter where only Landlock stands beside it: no sockets, or with `tcp` streams alone.

    Without `cuts` no file is cut short but one that is open for writing; without `signals` a
    process signals only the group that it is in.
    """
    network = _TCP_ONLY if tcp else _NO_NETWORK
    unseen = {**({} if cuts else _NO_CUTS), **({} if signals else _NO_SIGNALS)}
    return _program(machine, {**_ALWAYS, **_SHARED, **network, **unseen})


def _program(machine: str | None, checks: Mapping[str, Sequence[Check]]) -> bytes:
    name = machine or os.uname().machine
    if name not in ARCHITECTURES or struct.calcsize("P") != struct.calcsize("Q"):
        known = " and ".join(ARCHITECTURES)
        raise SandboxUnavailable(f"there is no system call filter for {name}, only for {known}")
    found = ARCHITECTURES[name]
    return assemble(found.audit, NEWEST, errno.ENOSYS, _numbered(found.numbers, checks))


def _numbered(
    numbers: Mapping[str, int], checks: Mapping[str, Sequence[Check]]
) -> Iterator[tuple[int, Sequence[Check]]]:
    """The checks by number; a call that an architecture never had is no part of its table."""
    return ((numbers[name], wanted) for name, wanted in checks.items() if name in numbers)
