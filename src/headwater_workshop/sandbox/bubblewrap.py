"""The jail's second level: bubblewrap, where the kernel lacks Landlock or seccomp but has user
namespaces.

The program sees a file system of nothing but what it may read, in namespaces of its own: no
network, no other process, nobody to signal. What bubblewrap cannot do is bound the number of
processes of root, whom no limit binds; so root does not reach this level.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence


def program() -> str | None:
    """Where bubblewrap is; None where there is none, or where it would hold too little."""
    return shutil.which("bwrap") if hasattr(os, "geteuid") and os.geteuid() != 0 else None


def arguments(
    bwrap: str, argv: Sequence[str], readable: Sequence[str], environment: Sequence[str], cwd: str
) -> list[str]:
    """The command that runs a program with `readable` as all there is to read.

    Args:
        environment: variables as `NAME=value`.
    """
    words = [bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    words += ["--dev", "/dev"]
    for path in sorted(set(readable)):  # a folder comes before what is in it
        if os.path.exists(path) and not path.startswith("/dev/"):
            words += ["--ro-bind", path, path]
    words += ["--clearenv"]
    for each in environment:
        name, _, value = each.partition("=")
        words += ["--setenv", name, value]
    return [*words, "--chdir", cwd, "--", *argv]
