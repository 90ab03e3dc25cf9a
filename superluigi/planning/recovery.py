"""What dead runs left beside their targets: finished where it is whole, else undone."""

from __future__ import annotations

import contextlib
from typing import Any

from superluigi.errors import SidecarError
from superluigi.planning.nodes import PlannedOutput
from superluigi.sidecar import decode_sidecar
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.state import Observation
from superluigi_catalog.owner import is_alive

__all__ = ["recovered"]


def recovered(output: PlannedOutput, target: TargetWithMetadata, seen: Observation) -> Observation:
    """Finish or undo what a dead run left beside the target; what then stands there.

    What cannot be told marks the output's state as interrupted.
    """
    data = target.read_next()
    if data is None:
        return seen
    document: dict[str, Any] = {}
    with contextlib.suppress(SidecarError):
        document = decode_sidecar(data, path=target.metadata_path + ".next")
    if is_alive(_owner_of(document)) and document.get("state") != "failed":
        # Somebody writes it in place just now: what stands there is no result, whatever it looks like.
        output.state.interrupted = document.get("state") == "running"
        return seen
    if document.get("state") is None and document.get("output"):
        changed = _finish_publish(target, document, seen)
    else:
        changed = _undo_in_place(output, target, document, seen)
    return target.observe() if changed else seen


def _finish_publish(
    target: TargetWithMetadata, document: dict[str, Any], seen: Observation
) -> bool:
    """A publish that died: complete when the target is what it announced, else as if it had not begun."""
    expected = document["output"].get("fingerprint")
    stash = str(document["output"].pop("stash", None) or "")
    if seen.exists and target.read_content(seen).fingerprint == expected:
        target.write_sidecar(document)
        target.remove_next()
        return False
    put_back = bool(stash) and not seen.exists and target.put_back(stash)
    target.remove_next()
    return put_back


def _undo_in_place(
    output: PlannedOutput,
    target: TargetWithMetadata,
    document: dict[str, Any],
    seen: Observation,
) -> bool:
    """A run that wrote in place and died: its stash is put back, or what it left is not trusted."""
    sidecar = _quiet_metadata(target)
    stash = str(document.get("stash") or "")
    if sidecar is not None and sidecar.get("run_id") == document.get("run_id"):
        target.drop_stashed(stash)
        target.remove_next()  # it had ended: only this was left to do
        return False
    if stash and target.put_back(stash):
        target.remove_next()
        return True
    if not seen.exists:
        target.remove_next()
        return False
    matches = (
        sidecar is not None
        and target.read_content(seen).fingerprint == sidecar["output"]["fingerprint"]
    )
    if matches:
        target.remove_next()  # it died before it touched anything
    else:
        output.state.interrupted = True
    return False


def _owner_of(document: dict[str, Any]) -> str:
    """Who announced it; what is published is already the sidecar, whose environment says so."""
    if document.get("state"):
        return str(document.get("owner") or "")
    return str((document.get("environment") or {}).get("process") or "")


def _quiet_metadata(target: TargetWithMetadata) -> dict[str, Any] | None:
    with contextlib.suppress(SidecarError):
        return target.metadata()
    return None
