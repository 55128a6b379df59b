"""Becomes a command under restrictions like those of a stock container, without an engine.

What Docker's default profile refuses without CAP_SYS_ADMIN (moby's profiles/seccomp), no new
privileges, and the ids of an ordinary user. Arguments: the user id, or "-" for our own; a command.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from pipeline.sandbox.bpf import Check, assemble
from pipeline.sandbox.seccomp import ARCHITECTURES
from pipeline.sandbox.syscalls import NEWEST

REFUSED = (
    *("mount", "umount2", "pivot_root", "setns", "unshare", "fsopen", "fsmount", "move_mount"),
    *("open_tree", "mount_setattr", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key"),
    *("request_key", "io_uring_setup", "io_uring_enter", "io_uring_register", "pidfd_getfd"),
    *("open_by_handle_at", "sethostname", "quotactl", "syslog", "kexec_load", "init_module"),
)
NAMESPACES = 0x7E020000
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2


class Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def confine() -> None:
    found = ARCHITECTURES[os.uname().machine]
    checks: list[tuple[int, tuple[Check, ...]]] = [
        (found.numbers[name], (Check(errno.EPERM),)) for name in REFUSED
    ]
    checks.append((found.numbers["clone"], (Check(errno.EPERM, 0, "bits", (NAMESPACES,)),)))
    checks.append((found.numbers["clone3"], (Check(errno.ENOSYS),)))
    program = assemble(found.audit, NEWEST, errno.ENOSYS, checks)
    steps = ctypes.create_string_buffer(program, len(program))
    wanted = Program(len(program) // 8, ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert libc.prctl(SECCOMP, FILTER, ctypes.byref(wanted), 0, 0) == 0


if __name__ == "__main__":
    if sys.argv[1] != "-":
        user = int(sys.argv[1])
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    confine()
    os.execvp(sys.argv[2], sys.argv[2:])
