"""What accepting a result needs beside the catalog: the code as it is now, and the targets' sidecars."""

from __future__ import annotations

import sys
from typing import Any

from luigi.task_register import Register

from superluigi.errors import SidecarError, TargetError
from superluigi.project import find_project
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import target_at
from superluigi_catalog.acceptance import (
    Acceptance,
    Host,
    acceptance_document,
    set_host,
    with_acceptance,
)
from superluigi_catalog.records import JsonObject
from superluigi_catalog.results import Run

__all__ = ["accepted_of", "serve_acceptances", "write_acceptance"]


def serve_acceptances() -> None:
    """Let `Catalog.accept` in this process know the code, and reach every kind of target."""
    set_host(Host(_code_of, _write))


def write_acceptance(target: TargetWithMetadata, acceptance: JsonObject | None) -> bool:
    """Add an acceptance to a target's sidecar, or take it out; whether the sidecar says so now."""
    try:
        document = target.metadata()
        if document is None:
            return False
        target.write_sidecar(with_acceptance(document, acceptance))
    except (OSError, SidecarError, TargetError):
        return False
    return True


def accepted_of(run: Run, fingerprint: str) -> dict[str, Any]:
    """What a sidecar says of an acceptance that is on record."""
    details = run.reason.get("details", {})
    acceptance = Acceptance(
        task_hash=run.task_hash,
        run_id=run.run_id,
        accepted_run_id=str(details.get("accepted_run_id", "")),
        by=str(details.get("by", "")),
        at=run.started_at,
        reason=str(run.reason.get("text", "")),
        uris=(),
    )
    return acceptance_document(acceptance, fingerprint, run.inputs, run.code or None)


def _write(uri: str, kind: str, acceptance: JsonObject | None) -> bool:
    target = target_at(find_project().absolute_path(uri))
    return target is not None and write_acceptance(target, acceptance)


def _code_of(module: str, family: str) -> dict[str, Any] | None:
    """The code of a class that this process has; nothing is imported for it."""
    if module not in sys.modules:
        return None
    from superluigi.code import fingerprint_code

    for cls in reversed(Register._reg):
        if cls.__module__ == module and cls.get_task_family() == family:
            return fingerprint_code(cls).to_dict(include_source=True)
    return None
