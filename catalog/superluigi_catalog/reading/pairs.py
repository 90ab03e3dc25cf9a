"""What one pair of runs differs in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from superluigi_catalog.difference import Difference
from superluigi_catalog.explanation import source_difference
from superluigi_catalog.reading.node import Input, Node
from superluigi_catalog.reading.order import place_key

__all__ = ["Known", "differing_inputs", "own_differences"]

_PER_PROCESS = frozenset({"pid", "process"})
"""Of an environment; different in every process, and nothing follows from it."""
_MISSING = Input(None, None, None)


class Known(NamedTuple):
    """What runs refer to, each loaded once."""

    code: Mapping[int, Any]
    environments: Mapping[int, Any]
    sources: Mapping[str, str]


def differing_inputs(a: Node, b: Node) -> Iterator[tuple[str, Input, Input]]:
    """List the places at which two runs consumed different contents.

    Where one of them is no run, by what is required there.
    """
    by_content = a.side.run_id is not None and b.side.run_id is not None
    for place in sorted({*a.inputs, *b.inputs}, key=place_key):
        one, other = a.inputs.get(place, _MISSING), b.inputs.get(place, _MISSING)
        if by_content:
            is_same = one.fingerprint == other.fingerprint
        else:
            tasks = [each.source and each.source[0] for each in (one, other)]
            is_same = tasks[0] == tasks[1]
        if not is_same:
            yield place, one, other


def own_differences(a: Node, b: Node, known: Known, *, is_explained: bool) -> list[Difference]:
    """List what a pair differs in.

    Args:
        a, b: The pair.
        known: What they refer to.
        is_explained: An input that differs is followed further up; what differs here may follow from it.
    """
    found = [*_identity(a, b), *_functions(a, b, known), *_inputs(a, b)]
    is_explained = is_explained or bool(found)
    # What a run was made with tells more than how it ended.
    status = _status(a, b, is_cause=not is_explained)
    effects = [*_outputs(a, b), *_metadata(a, b)] if status is None else [status]
    if effects and not is_explained:
        found = list(_environment(a, b, known))
        if not found and status is None:
            found = [_difference(a, b, "unexplained", "", None, None, True)]
    return [*found, *effects]


def _difference(
    a: Node,
    b: Node,
    kind: str,
    name: str,
    before: Any,
    after: Any,
    is_cause: bool,
    detail: str = "",
) -> Difference:
    return Difference(kind, name, before, after, a.side, b.side, is_cause, detail)


def _identity(a: Node, b: Node) -> Iterator[Difference]:
    if a.side.family != b.side.family:
        yield _difference(a, b, "family", "", a.side.family, b.side.family, True)
    for name in sorted({*a.params, *b.params}):
        was, now = a.params.get(name), b.params.get(name)
        if was != now:
            yield _difference(a, b, "parameter", name, was, now, True)


def _functions(a: Node, b: Node, known: Known) -> Iterator[Difference]:
    if a.code_id == b.code_id or a.code_id is None or b.code_id is None:
        return
    before, after = (_parts(known.code[node]) for node in (a.code_id, b.code_id))
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was is None or now is None or was["fingerprint"] != now["fingerprint"]:
            yield _difference(
                a,
                b,
                "function",
                name,
                was and was["fingerprint"],
                now and now["fingerprint"],
                True,
                source_difference(was, now, known.sources),
            )


def _parts(code: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(part["name"]): part for part in code.get("parts", ())}


def _inputs(a: Node, b: Node) -> Iterator[Difference]:
    for place, one, other in differing_inputs(a, b):
        paths = " → ".join(dict.fromkeys(filter(None, (one.uri, other.uri))))
        is_followed = None not in (one.source, other.source) and one.source != other.source
        yield _difference(
            a, b, "input", place, _content(one), _content(other), not is_followed, paths
        )


def _content(source: Input) -> str | None:
    if source.fingerprint is None and source.source is not None:
        return "required"
    return source.fingerprint


def _outputs(a: Node, b: Node) -> Iterator[Difference]:
    if a.side.run_id is None or b.side.run_id is None:
        return
    for place in sorted({*a.outputs, *b.outputs}, key=place_key):
        was, now = a.outputs.get(place, (None, None)), b.outputs.get(place, (None, None))
        if was[1] != now[1]:
            path = " → ".join(dict.fromkeys(filter(None, (was[0], now[0]))))
            yield _difference(a, b, "output", place, was[1], now[1], False, path)


def _metadata(a: Node, b: Node) -> Iterator[Difference]:
    # What is only recorded anew, or accepted, has no metadata of its own.
    if not a.side.status == b.side.status == "succeeded":
        return
    for key in sorted({*a.metadata, *b.metadata}):
        was, now = a.metadata.get(key), b.metadata.get(key)
        if was != now:
            yield _difference(a, b, "metadata", key, was, now, False)


def _status(a: Node, b: Node, *, is_cause: bool) -> Difference | None:
    was, now = map(_ended, (a, b))
    return None if was == now else _difference(a, b, "status", "", was, now, is_cause)


def _ended(node: Node) -> str:
    if node.side.run_id is None:
        return "no run"
    return node.error or "failed" if node.side.status == "failed" else "ended well"


def _environment(a: Node, b: Node, known: Known) -> Iterator[Difference]:
    if a.environment_id is None or b.environment_id is None or a.environment_id == b.environment_id:
        return
    was, now = (_flat(known.environments[node]) for node in (a.environment_id, b.environment_id))
    for key in sorted({*was, *now} - _PER_PROCESS):
        if was.get(key) != now.get(key):
            yield _difference(a, b, "environment", key, was.get(key), now.get(key), True)


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Bring packages and the rest to one level: `packages.pandas`."""
    flat: dict[str, Any] = {}
    for key, value in environment.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            flat[key] = value
    return flat
