"""Keeping a catalog right: rebuilding it, comparing it with what stands, clearing it up, merging others into it."""

from superluigi_catalog.upkeep.clearing import orphans, remove_orphans
from superluigi_catalog.upkeep.merge import export, merge
from superluigi_catalog.upkeep.openlineage import export_openlineage
from superluigi_catalog.upkeep.rebuild import rebuild
from superluigi_catalog.upkeep.reports import (
    Exported,
    Merged,
    Orphan,
    Orphans,
    Progress,
    Rebuilt,
    Report,
    SidecarProblem,
    TargetProblem,
    Verified,
)
from superluigi_catalog.upkeep.verify import targets_meant, verify

__all__ = [
    "Exported",
    "Merged",
    "Orphan",
    "Orphans",
    "Progress",
    "Rebuilt",
    "Report",
    "SidecarProblem",
    "TargetProblem",
    "Verified",
    "export",
    "export_openlineage",
    "merge",
    "orphans",
    "rebuild",
    "remove_orphans",
    "targets_meant",
    "verify",
]
