"""Comparing a task with the recorded run of its result: inputs, parameters, code; each difference a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import luigi

from superluigi.planning.decision import Reason
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi.planning.states import TargetState, same_content
from superluigi_catalog.records import InputEntry, RunRecord

__all__ = [
    "changed_inputs",
    "code_reason",
    "environment_reason",
    "missing_reason",
    "other_task_reason",
    "short_label",
    "what_is_missing",
    "yielded_inputs",
]


def changed_inputs(task: PlannedTask, run: RunRecord) -> list[Reason]:
    """Why the inputs are not those that a run consumed; empty when they are."""
    consumed = {entry.place: entry for entry in run.inputs}
    reasons = []
    expected = set()
    for place, upstream, output in task.inputs():
        expected.add(place)
        entry = consumed.get(place)
        if entry is None:
            text = f"reads {_place(place)}{output.uri}, which its last run did not"
            reasons.append(_input_reason(text, place, None, upstream, output))
        elif not _is_as_consumed(entry, upstream, output):
            text = _change_text(place, entry, upstream, output)
            reasons.append(_input_reason(text, place, entry, upstream, output))
    for place in sorted(consumed.keys() - expected):
        entry = consumed[place]
        if place.startswith("yielded."):
            reasons += _changed_yielded(entry, task.yielded.get(place))
        else:
            text = f"no longer reads {_place(place)}{entry.uri}"
            reasons.append(
                Reason(
                    "input_changed", text, {"place": place, "from": entry.fingerprint, "to": None}
                )
            )
    return reasons


def _is_as_consumed(entry: InputEntry, upstream: PlannedTask, output: PlannedOutput) -> bool:
    if same_content(entry.fingerprint, output.state):
        return True
    if output.state.last_fingerprint is not None:
        return False
    # Missing, and nobody knows what it was: the same task at the same path counts as the same content.
    return not output.state.exists and (entry.task_hash, entry.uri) == (
        upstream.task_hash,
        output.uri,
    )


def _changed_yielded(entry: InputEntry, state: TargetState | None) -> list[Reason]:
    """Why something that the last run yielded is not what it then read."""
    if state is None or not state.exists or same_content(entry.fingerprint, state):
        return []
    details = {"place": entry.place, "path": entry.uri, "from": entry.fingerprint}
    text = f"{entry.uri}, which its last run asked for while running, changed since"
    return [Reason("input_changed", text, details | {"to": state.fingerprint})]


def yielded_inputs(task: PlannedTask) -> Iterator[InputEntry]:
    """What the recorded run of a task yielded, as it stands now."""
    run = next((output.state.run for output in task.outputs if output.state.run is not None), None)
    for entry in run.inputs if run is not None else ():
        state = task.yielded.get(entry.place)
        if state is not None and state.exists:
            yield state.as_input(entry.place, entry.uri, entry.kind, entry.task_hash or "")
        elif entry.place.startswith("yielded."):
            yield entry


def _change_text(
    place: str, entry: InputEntry, upstream: PlannedTask, output: PlannedOutput
) -> str:
    if entry.uri != output.uri:
        return f"{_place(place)}is now {output.uri}, it was {entry.uri}"
    if not output.state.exists:
        return f"{_place(place)}{output.uri} of {short_label(upstream)} is gone, and was not what it read"
    return f"{_place(place)}{output.uri} changed since it was read"


def _input_reason(
    text: str,
    place: str,
    entry: InputEntry | None,
    upstream: PlannedTask,
    output: PlannedOutput,
) -> Reason:
    details: dict[str, Any] = {
        "place": place,
        "path": output.uri,
        "from": entry.fingerprint if entry else None,
        "to": output.state.fingerprint,
        "from_task": entry.task_hash if entry else None,
        "upstream": upstream.task_hash,
    }
    return Reason("input_changed", text, details)


def other_task_reason(task: PlannedTask, run: RunRecord) -> Reason | None:
    """Why what stands at the task's path is another task's; None when it is its own.

    A parameter that the record does not know counts as new, when its value is the default.
    """
    if run.task_hash == task.task_hash:
        return None
    where = ", ".join(output.uri for output in task.outputs)
    if run.family != task.family:
        text = f"{where} was made by {run.family}"
        return Reason("other_task", text, {"from": run.family, "to": task.family})
    for name in sorted(run.params.keys() | task.params.keys()):
        was, now = run.params.get(name), task.params.get(name)
        if was == now or (was is None and _is_default(task.task, name)):
            continue
        text = f"{where} was made for {name}={was}, not {name}={now}"
        return Reason("other_task", text, {"parameter": name, "from": was, "to": now})
    return None


def code_reason(current: Any, run: RunRecord) -> Reason:
    """Which function changed, in which file."""
    before = {part["name"]: part["fingerprint"] for part in run.code_parts}
    changed = [part for part in current.parts if before.get(part.name) != part.fingerprint]
    gone = sorted(before.keys() - {part.name for part in current.parts})
    if changed:
        first = changed[0]
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        text = f"code changed: {first.name} ({first.file}:{first.line}){more}"
    else:
        text = f"code changed: {gone[0]} is no longer used" if gone else "code changed"
    details = {
        "from": run.code_fingerprint,
        "to": current.fingerprint,
        "parts": [{"name": p.name, "file": p.file, "line": p.line} for p in changed],
        "gone": gone,
    }
    return Reason("code_changed", text, details)


def environment_reason(was: Mapping[str, Any], now: Mapping[str, Any]) -> Reason | None:
    """Which version of Python or of an imported package is another one; None when none is."""
    before = {"python": was.get("python"), **(was.get("packages") or {})}
    after = {"python": now.get("python"), **(now.get("packages") or {})}
    changed = {
        name: {"from": before.get(name), "to": after.get(name)}
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    }
    if not was or not changed:
        return None
    text = ", ".join(f"{n} {v['from'] or 'none'} → {v['to'] or 'none'}" for n, v in changed.items())
    return Reason("environment_changed", f"environment changed: {text}", {"versions": changed})


def missing_reason(task: PlannedTask, needed_by: PlannedTask | None = None) -> Reason:
    """That an output is missing and needed."""
    text = what_is_missing(task)
    if needed_by is not None and task.outputs:
        text += f", and {short_label(needed_by)} needs it"
    details: dict[str, Any] = {
        "paths": [output.uri for output in task.outputs if not output.state.exists]
    }
    if needed_by is not None:
        details["needed_by"] = needed_by.task_hash
    return Reason("missing", text, details)


def what_is_missing(task: PlannedTask) -> str:
    """In words, the first output that is not there."""
    if task.own_complete is False:
        return "its complete() says no"
    if not task.outputs:
        return "it has no output, so it runs in every build that needs it"
    missing = [output.uri for output in task.outputs if not output.state.exists]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"{missing[0]}{more} is missing" if missing else "missing"


def _is_default(task: luigi.Task, name: str) -> bool:
    parameter = dict(type(task).get_params()).get(name)
    if parameter is None or not parameter.has_task_value(task.get_task_family(), name):
        return False
    default = parameter.task_value(task.get_task_family(), name)
    return bool(parameter.serialize(default) == parameter.serialize(task.param_kwargs[name]))


def _place(place: str) -> str:
    return f"{place}: " if place else ""


def short_label(task: PlannedTask) -> str:
    """Family and short hash."""
    return f"{task.family} {task.task_hash[:8]}"
