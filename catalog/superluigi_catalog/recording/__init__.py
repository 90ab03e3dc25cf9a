"""Writing: what a build hands in becomes rows. Every function works in the transaction that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.lazy import lazily

if TYPE_CHECKING:
    from superluigi_catalog.recording.acceptances import accept, standing_run, withdraw
    from superluigi_catalog.recording.builds import end_build, start_build
    from superluigi_catalog.recording.bulk import record_runs
    from superluigi_catalog.recording.interrupted import mark_interrupted
    from superluigi_catalog.recording.leases import beat, claim, grant
    from superluigi_catalog.recording.new_sidecars import index_new_sidecars
    from superluigi_catalog.recording.observations import observe
    from superluigi_catalog.recording.runs import finish_run, start_run
    from superluigi_catalog.recording.sidecars import SidecarEntry, index_sidecar
    from superluigi_catalog.recording.tasks import record_tasks

__all__ = [
    "SidecarEntry",
    "accept",
    "beat",
    "claim",
    "end_build",
    "finish_run",
    "grant",
    "index_new_sidecars",
    "index_sidecar",
    "mark_interrupted",
    "observe",
    "record_runs",
    "record_tasks",
    "standing_run",
    "start_build",
    "start_run",
    "withdraw",
]

__getattr__ = lazily(
    __name__,
    {
        ".acceptances": "accept standing_run withdraw",
        ".builds": "end_build start_build",
        ".bulk": "record_runs",
        ".interrupted": "mark_interrupted",
        ".leases": "beat claim grant",
        ".new_sidecars": "index_new_sidecars",
        ".observations": "observe",
        ".runs": "finish_run start_run",
        ".sidecars": "SidecarEntry index_sidecar",
        ".tasks": "record_tasks",
    },
)
