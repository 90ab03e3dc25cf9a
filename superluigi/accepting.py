"""What accepting a result needs beside the catalog: the code as it is now, and words for the sidecar."""

from __future__ import annotations

import sys
from typing import Any

from luigi.task_register import Register

from superluigi_catalog.acceptance import (
    Acceptance,
    acceptance_document,
    set_code_source,
)
from superluigi_catalog.results import Run

__all__ = ["accepted_of", "serve_acceptances"]


def serve_acceptances() -> None:
    """Let `Catalog.accept` in this process know the code."""
    set_code_source(_code_of)


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


def _code_of(module: str, family: str) -> dict[str, Any] | None:
    """The code of a class that this process has; nothing is imported for it."""
    if module not in sys.modules:
        return None
    from superluigi.code import fingerprint_code

    for cls in reversed(Register._reg):
        if cls.__module__ == module and cls.get_task_family() == family:
            return fingerprint_code(cls).to_dict(include_source=True)
    return None
