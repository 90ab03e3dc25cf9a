"""Whether a file lies on a filesystem that several machines share."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

__all__ = ["is_on_network", "type_of"]

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "drvfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "virtiofs",
        "vboxsf",
    ]
)
_NETWORK_FUSE = ("sshfs", "s3fs", "rclone", "gcsfuse", "gluster", "ceph", "mount-s3", "goofys")


@lru_cache(maxsize=64)
def is_on_network(directory: Path) -> bool:
    """Whether a directory is on a network filesystem, as far as the system tells; there no log can be shared.

    Source: https://www.sqlite.org/wal.html ("WAL does not work over a network filesystem")
    """
    try:
        kind = type_of(os.stat(directory).st_dev, _MOUNTS.read_text(encoding="utf-8"))  # noqa: PTH116
    except (OSError, ValueError):
        return False
    return kind in _NETWORK or any(name in kind for name in _NETWORK_FUSE)


def type_of(device: int, mounts: str) -> str:
    """Find the type of the filesystem on a device.

    Args:
        device: As `stat` says.
        mounts: What `/proc/self/mountinfo` says.

    Returns:
        Such as `ext4`; empty when it is not listed.

    Source: `man 5 proc_pid_mountinfo`.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        head, _, tail = line.partition(" - ")
        fields = head.split()
        if len(fields) > 2 and fields[2] == number and tail:
            return tail.split()[0]
    return ""
