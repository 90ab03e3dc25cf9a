"""Making the orders of a build's runs: what each is told about its inputs, its code and its surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from superluigi.code import CodeFingerprint
from superluigi.execution.inputs import UNKNOWN_RUN
from superluigi.execution.order import ExpectedInput, RunOrder, new_uuid7
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Reason
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi.planning.planner import Planner
from superluigi_catalog.records import JsonObject
from superluigi_catalog.storage.bulk import maker_of

__all__ = ["Orders"]


@dataclass(frozen=True)
class Orders:
    """Makes the orders of one build."""

    build_id: str
    planner: Planner
    force_local_download: bool = False
    _codes: dict[str, tuple[CodeFingerprint, JsonObject, JsonObject]] = field(default_factory=dict)
    """By family."""
    _environments: dict[str, JsonObject] = field(default_factory=dict)
    """By family."""

    def make(self, verdict: Verdict, reason: Reason, *, with_code: bool = True) -> RunOrder:
        """An order for what a verdict is about, with the inputs as they stand now."""
        task = verdict.task
        return RunOrder(
            run_id=new_uuid7(),
            task_hash=task.task_hash,
            build_id=self.build_id,
            reason=reason.to_dict(),
            inputs=tuple(_expected(*row) for row in task.inputs()),
            upstream={place: upstream.task_hash for place, upstream in task.upstream},
            standing={} if self.planner.verify == "catalog" else _tokens(task),
            code=self.code_of(task.family)[0] if with_code else None,
            environment=self._environment(task),
            durability=self.planner.settings.durability,
            force_local_download=self.force_local_download,
            record_plain_targets=self.planner.settings.plain_targets,
        )

    def code_of(self, family: str) -> tuple[JsonObject, JsonObject] | tuple[None, None]:
        """The code of a family as its sidecars hold it, and as the catalog does, with the sources.

        One object each for all runs, which nobody changes.
        """
        code = self.planner.code.get(family)
        if code is None:
            return None, None
        known = self._codes.get(family)
        if known is None or known[0] is not code:
            known = (code, code.to_dict(), code.to_dict(include_source=True))
            self._codes[family] = known
        return known[1], known[2]

    def _environment(self, task: PlannedTask) -> JsonObject:
        known = self._environments.get(task.family)
        if known is None:
            known = self._environments[task.family] = self.planner.environment_of(task)
        return known


def _tokens(task: PlannedTask) -> dict[str, str]:
    """What a look has just shown at the outputs; an older look must not refuse a result."""
    looks = {output.place: output.state.observation for output in task.outputs}
    return {
        place: (seen.token or "") if seen.exists else ""
        for place, seen in looks.items()
        if seen is not None
    }


_made_input = maker_of(ExpectedInput)


def _expected(place: str, upstream: PlannedTask, output: PlannedOutput) -> ExpectedInput:
    state = output.state
    entry = state.as_input(place, output.uri, output.kind, upstream.task_hash)
    if not entry.fingerprint and output.target is not None:
        seen = output.target.observe()
        if not seen.exists:
            entry = replace(entry, fingerprint=UNKNOWN_RUN)
        elif "://" in output.uri:
            # Remote content is known without reading it; local content the run reads itself.
            content = output.target.read_content(seen)
            entry = replace(entry, fingerprint=content.fingerprint)
    token = state.observation.token if state.observation is not None else None
    return _made_input(entry, output.location, token)
