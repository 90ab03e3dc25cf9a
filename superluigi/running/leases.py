"""Whether the build that holds a task's lease is still at work.

Where its process can be looked for, that decides, however long it was silent: a laptop may have slept. In
another container or on another host it cannot; there the lock that a living build holds on a file, and
else its last word in the catalog, count.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from superluigi_catalog.owner import standing_of
from superluigi_catalog.records import Lease

__all__ = ["BEAT_INTERVAL_S", "Holders"]

BEAT_INTERVAL_S = 30.0
_SILENT_S = 600.0
"""An owner that nobody can look for and that said nothing for so long counts as gone."""


@dataclass(frozen=True)
class Holders:
    """Says of leases whether their owners are gone."""

    builds: Path
    """The directory of the builds' files."""
    own_runs: frozenset[str] = frozenset()
    """Runs in the middle of which this build was started: it cannot wait for them."""

    def are_gone(self, lease: Lease) -> bool:
        """Whether nobody is at work behind a lease, or nobody that may be waited for."""
        if lease.run_id in self.own_runs:
            return True
        standing = standing_of(lease.owner)
        if standing is not None:
            return not standing
        silent_s = time.time() - lease.beat_ns / 1e9
        return silent_s > _SILENT_S and not self._is_locked(lease)

    def _is_locked(self, lease: Lease) -> bool:
        """Whether the lock of the lease's build is held; the system lets it go when the build dies."""
        name = lease.directory
        if sys.platform == "win32" or not name or os.sep in name or name.startswith("."):
            return False
        import fcntl

        try:
            descriptor = os.open(self.builds / name / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False
