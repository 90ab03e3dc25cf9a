"""The runner's side of the catalog: what it records, and what its decisions compare with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from superluigi_catalog import reading, recording
from superluigi_catalog.connected import Connected

if TYPE_CHECKING:
    from superluigi_catalog.records import (
        BuildEntry,
        Claim,
        JsonObject,
        Lease,
        Observed,
        RunEntry,
        TargetRecord,
        TaskEntry,
        YieldedTask,
    )
    from superluigi_catalog.results import Interrupted

__all__ = ["Recorder"]


class Recorder(Connected):
    """Records builds, tasks, runs and looks at targets; every call is one transaction."""

    def start_build(self, entry: BuildEntry) -> None:
        """Record that a build began; until it ends, what is told again stands in its place."""
        with self._writing() as session:
            recording.start_build(session, entry)

    def end_build(
        self,
        build_id: str,
        *,
        status: str,
        ended_at: str,
        counts: Mapping[str, int],
        error: str | None = None,
    ) -> None:
        """Record how a build ended.

        Args:
            build_id: As it was started.
            status: `succeeded`, `failed` or `interrupted`.
            ended_at: UTC, ISO 8601.
            counts: How many tasks came to what end.
            error: What stopped the build itself.

        Raises:
            RecordRefused: there is no such status.
        """
        with self._writing() as session:
            recording.end_build(
                session, build_id, status=status, ended_at=ended_at, counts=counts, error=error
            )

    def record_tasks(self, entries: Iterable[TaskEntry]) -> None:
        """Record tasks as a build declares them, with their edges and outputs.

        What is declared as before costs next to nothing: 10,000 such tasks about 0.05 s. A task that is
        only named as upstream is kept as a stub until it is declared itself.

        Raises:
            RecordRefused: a hash is not 32 hex digits.
        """
        with self._writing() as session:
            recording.record_tasks(session, entries)

    def start_run(
        self,
        run_id: str,
        task_hash: str,
        *,
        build_id: str | None,
        reason: JsonObject,
        reasons: Sequence[JsonObject],
        started_at: str,
        owner: str,
        log: str = "",
    ) -> None:
        """Record that a run began; one that has ended already stays as it is.

        Args:
            run_id: Its own id, the one in the sidecar.
            task_hash: What it runs.
            build_id: Which build started it.
            reason: Why it runs: kind, text, details.
            reasons: All of them.
            started_at: UTC, ISO 8601.
            owner: `this_owner()` of the process that will say how it ended.
            log: Path of its log, relative to the build's folder.

        Raises:
            RecordRefused: the hash is not 32 hex digits.
        """
        with self._writing() as session:
            recording.start_run(
                session,
                run_id,
                task_hash,
                build=build_id,
                reason=reason,
                reasons=reasons,
                started_at=started_at,
                owner=owner,
                log=log,
            )

    def claim_run(
        self,
        run_id: str,
        task_hash: str,
        *,
        expected: Mapping[str, str | None],
        is_gone: Callable[[Lease], bool],
        owner: str,
        ended: Iterable[RunEntry] = (),
        build_id: str | None = None,
        **begun: Any,
    ) -> Claim:
        """Record that a run began, unless another build is at it or was faster.

        The run holds the lease of its task until `finish_run`, or until its owner is gone.

        Args:
            run_id: As `start_run` takes it, like `task_hash`, `owner` and what else is given.
            task_hash: What it runs.
            expected: Target → the run that its content was recorded under when this one was planned.
            is_gone: Says of a lease whether its owner is certainly not at work any more.
            owner: Who will say how it ended.
            build_id: Which build starts it.
            ended: Runs to be recorded with it, as `finish_run` does, whatever the answer.
            begun: The other arguments of `start_run`.

        Returns:
            Who runs the task already, or that one of its targets is of a newer run; else it has begun.

        Raises:
            RecordRefused: the hash is not 32 hex digits.
        """
        with self._writing() as session:
            for entry in ended:
                recording.finish_run(session, entry)
            answer = recording.claim(session, task_hash, expected=expected, is_gone=is_gone)
            if answer.is_granted:
                recording.start_run(
                    session, run_id, task_hash, build=build_id, owner=owner, **begun
                )
                recording.grant(session, task_hash, run_id, owner)
            return answer

    def beat(self, owner: str) -> None:
        """Say that the owner of leases is at work; needed only where nobody can look for its process."""
        with self._writing() as session:
            recording.beat(session, owner)

    def leases(self, task_hashes: Collection[str]) -> dict[str, Lease]:
        """Look up who runs tasks just now.

        Returns:
            By task hash; without tasks that nobody runs. Their owners may be gone.
        """
        with self._reading() as session:
            return reading.leases_of(session, task_hashes)

    def finish_run(self, entry: RunEntry) -> None:
        """Record how a run ended, with all that it consumed and made; started before, or not.

        With `succeeded`, `unchanged`, `adopted` or `shared` it becomes the record that counts for its
        targets and its task. A run that failed changes neither. Recorded twice it is there once.

        Raises:
            RecordRefused: a hash is not 32 hex digits, or there is no such status.
        """
        with self._writing() as session:
            recording.finish_run(session, entry)

    def record_runs(self, entries: Iterable[RunEntry]) -> None:
        """Record runs that have ended, in the order in which they did; as `finish_run`, many at once.

        Raises:
            RecordRefused: a hash is not 32 hex digits, or there is no such status.
        """
        with self._writing() as session:
            recording.record_runs(session, entries)

    def observe(self, observations: Iterable[Observed]) -> None:
        """Record what looks at targets showed; a look older than the last one is ignored.

        A known content stays known while the token is the same; a new token without a fingerprint means
        that nobody knows what is there. A look that failed (`error`) says nothing about the content.
        """
        with self._writing() as session:
            recording.observe(session, observations)

    def mark_interrupted(self, alive: Callable[[str], bool]) -> Interrupted:
        """Give runs and builds that are `running` under a dead owner the status `interrupted`.

        Args:
            alive: Says of an owner whether it may still be at work: `superluigi_catalog.owner.is_alive`.

        Returns:
            The ids of those that were found dead now.
        """
        with self._writing() as session:
            return recording.mark_interrupted(session, alive)

    def index_sidecar(
        self,
        document: Mapping[str, Any],
        *,
        uri: str,
        kind: str,
        token: str | None = None,
        observed_ns: int = 0,
        fingerprint: str | None = None,
    ) -> None:
        """Record what a sidecar says; twice is once, and what is known from the run itself stays.

        Args:
            document: As `parse_sidecar` returned it, of a target that stands.
            uri: Where the target is, in its stored form; a moved one counts here, not as the sidecar says.
            kind: The target's class.
            token: What a look at the target showed; None: nobody looked.
            observed_ns: When that was.
            fingerprint: The content behind the token, where it is not the sidecar's.

        Raises:
            InvalidSidecar: it only announces a run (`<sidecar>.next`, with the `state` `running`).
        """
        with self._writing() as session:
            recording.index_sidecar(
                session,
                recording.SidecarEntry(document, uri, kind, token, observed_ns, fingerprint),
            )

    def target_records(
        self, uris: Collection[str], *, with_code_parts: bool = False
    ) -> dict[str, TargetRecord]:
        """Look up targets with the runs that they are recorded under, in the same few statements for any number.

        Args:
            uris: In their stored form.
            with_code_parts: Also load `RunRecord.code_parts` and `.environment`.

        Returns:
            By uri, in no order; without those that nobody recorded. Inputs are ordered by place.
        """
        with self._reading() as session:
            return reading.target_records_of(session, uris, with_code_parts=with_code_parts)

    def durations(self, families: Mapping[str, str]) -> dict[str, float]:
        """Estimate how long tasks will take.

        Args:
            families: The family of each, by task hash; the catalog need not know the task.

        Returns:
            Seconds by task hash: what the last run that succeeded took, else what is usual in the family
            (a moving average); without those of which nothing is known.
        """
        with self._reading() as session:
            return reading.durations(session, families)

    def last_start_before(self, when: str) -> str | None:
        """Say when the last run before a moment began; None when there was none.

        Args:
            when: UTC, ISO 8601.
        """
        with self._reading() as session:
            return reading.last_start_before(session, when)

    def dynamic_upstream(self, task_hashes: Collection[str]) -> dict[str, tuple[YieldedTask, ...]]:
        """Look up what the current runs of tasks yielded.

        Returns:
            What was asked for, by the hash of who asked, ordered by place; without tasks that yielded
            nothing.
        """
        with self._reading() as session:
            return reading.dynamic_upstream(session, task_hashes)
