"""Lineage in SQLite: where every target came from, what read it, what would have to be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.lazy import lazily

if TYPE_CHECKING:
    from superluigi_catalog.acceptance import Acceptance
    from superluigi_catalog.as_of import AsOf
    from superluigi_catalog.browser import TaskListing
    from superluigi_catalog.catalog import Catalog
    from superluigi_catalog.connected import set_aside
    from superluigi_catalog.difference import Diff, Difference
    from superluigi_catalog.errors import (
        AcceptanceRefused,
        AmbiguousHash,
        CatalogError,
        CatalogInterrupted,
        CatalogLocked,
        CatalogMissing,
        CatalogReadOnly,
        CatalogTooNew,
        CatalogTooOld,
        DrawingUnavailable,
        ExportUnavailable,
        InvalidSidecar,
        NotACatalog,
        PlaceUnknown,
        RecordRefused,
        SidecarTooNew,
        TaskNotFound,
    )
    from superluigi_catalog.explanation import Cause, Step, Why
    from superluigi_catalog.filling import fill_catalog
    from superluigi_catalog.lineage import Lineage, LineageEdge
    from superluigi_catalog.moments import utc_moment
    from superluigi_catalog.project import Project, find_project
    from superluigi_catalog.records import (
        BuildEntry,
        InputEntry,
        Observed,
        OutputEntry,
        RunEntry,
        RunRecord,
        TargetRecord,
        TaskEntry,
    )
    from superluigi_catalog.results import (
        RUN_STATUSES,
        STATUSES,
        Build,
        Consumption,
        Interrupted,
        Revision,
        Run,
        Target,
        Task,
    )
    from superluigi_catalog.stats import FamilyStats, Stats, TargetStats, TaskStats
    from superluigi_catalog.text import printable

__all__ = [
    "RUN_STATUSES",
    "STATUSES",
    "Acceptance",
    "AcceptanceRefused",
    "AmbiguousHash",
    "AsOf",
    "Build",
    "BuildEntry",
    "Catalog",
    "CatalogError",
    "CatalogInterrupted",
    "CatalogLocked",
    "CatalogMissing",
    "CatalogReadOnly",
    "CatalogTooNew",
    "CatalogTooOld",
    "Cause",
    "Consumption",
    "Diff",
    "Difference",
    "DrawingUnavailable",
    "ExportUnavailable",
    "FamilyStats",
    "InputEntry",
    "Interrupted",
    "InvalidSidecar",
    "Lineage",
    "LineageEdge",
    "NotACatalog",
    "Observed",
    "OutputEntry",
    "PlaceUnknown",
    "Project",
    "RecordRefused",
    "Revision",
    "Run",
    "RunEntry",
    "RunRecord",
    "SidecarTooNew",
    "Stats",
    "Step",
    "Target",
    "TargetRecord",
    "TargetStats",
    "Task",
    "TaskEntry",
    "TaskListing",
    "TaskNotFound",
    "TaskStats",
    "Why",
    "fill_catalog",
    "find_project",
    "printable",
    "set_aside",
    "utc_moment",
]

__getattr__ = lazily(
    __name__,
    {
        ".acceptance": "Acceptance",
        ".as_of": "AsOf",
        ".browser": "TaskListing",
        ".catalog": "Catalog",
        ".connected": "set_aside",
        ".difference": "Diff Difference",
        ".errors": "AcceptanceRefused AmbiguousHash CatalogError CatalogInterrupted CatalogLocked CatalogMissing CatalogReadOnly CatalogTooNew CatalogTooOld DrawingUnavailable ExportUnavailable InvalidSidecar NotACatalog PlaceUnknown RecordRefused SidecarTooNew TaskNotFound",
        ".explanation": "Cause Step Why",
        ".filling": "fill_catalog",
        ".lineage": "Lineage LineageEdge",
        ".moments": "utc_moment",
        ".project": "Project find_project",
        ".records": "BuildEntry InputEntry Observed OutputEntry RunEntry RunRecord TargetRecord TaskEntry",
        ".results": "RUN_STATUSES STATUSES Build Consumption Interrupted Revision Run Target Task",
        ".stats": "FamilyStats Stats TargetStats TaskStats",
        ".text": "printable",
    },
)
