"""What holds for any graph and any history."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from superluigi_catalog import STATUSES, Catalog, RunEntry, TargetRecord, TaskEntry
from superluigi_catalog.recording import SidecarEntry, index_new_sidecars, index_sidecar
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    KIND,
    a_run,
    a_task,
    an_input,
    an_output,
    hash_of,
    sidecar_of,
    uri_of,
)
from tests.superluigi_catalog.test_index_sidecar import TABLES

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class History:
    """Tasks in an order in which they can run, and runs in the order in which they ended."""

    tasks: list[TaskEntry]
    runs: list[RunEntry]

    def task_of(self, run: RunEntry) -> TaskEntry:
        return next(task for task in self.tasks if task.task_hash == run.task_hash)


@st.composite
def histories(draw: st.DrawFn) -> History:
    names = [f"t{number}" for number in range(draw(st.integers(1, 7)))]
    needs = {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=3))
        if index
        else []
        for index, name in enumerate(names)
    }
    history = History([a_task(name, needs[name], luigi_task_id="") for name in names], [])
    current: dict[str, tuple[str, int]] = {}
    for minute in range(draw(st.integers(0, 12))):
        able = [name for name in names if all(need in current for need in needs[name])]
        name = draw(st.sampled_from(able))
        number = minute + 100 * names.index(name)
        content = draw(st.sampled_from("123"))
        status = draw(st.sampled_from(["succeeded"] * 4 + ["adopted", "failed"]))
        inputs = [
            replace(an_input(need, current[need][0], number=current[need][1]), place=need)
            for need in needs[name]
        ]
        yielded = draw(st.sampled_from([(), (("yielded.0", hash_of(names[0])),)]))
        history.runs.append(
            a_run(
                name,
                inputs,
                number=number,
                minute=minute,
                content=content,
                status=status,
                code=draw(st.sampled_from([None, CODE])),
                environment=draw(st.sampled_from([{}, ENVIRONMENT])),
                metadata=draw(st.sampled_from([{}, {"rows": 5}])),
                dynamic_upstream=yielded if status != "failed" else (),
            )
        )
        if status != "failed":
            current[name] = (content, number)
    return history


# Hundreds of catalogs are made here: where there is memory to make them in, no disk is waited for.
MEMORY = Path("/dev/shm")


@contextmanager
def opened(template: Path) -> Iterator[Catalog]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        shutil.copy(template, f"{directory}/catalog.db")
        with Catalog(f"{directory}/catalog.db") as catalog:
            yield catalog


def record(catalog: Catalog, history: History) -> None:
    with catalog.transaction():
        catalog.record_tasks(history.tasks)
        for run in history.runs:
            catalog.finish_run(run)


def contents(catalog: Catalog) -> dict[str, list[tuple[object, ...]]]:
    with catalog._connections.snapshot() as session:
        return {
            table: sorted(map(repr, session.rows(" ".join(("SELECT * FROM", table)))))
            for table in TABLES
        }


def yielded(catalog: Catalog, hashes: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Who yielded what: of a task that never ran itself, no sidecar tells more than the hash."""
    return {
        task_hash: [(each.place, each.task_hash) for each in found]
        for task_hash, found in catalog.dynamic_upstream(hashes).items()
    }


def without_times(records: dict[str, TargetRecord]) -> dict[str, TargetRecord]:
    return {uri: replace(found, observed_ns=0) for uri, found in records.items()}


@quick
@given(histories())
def test_recording_twice_equals_once(new_catalog: Path, history: History) -> None:
    for run_index, run in enumerate(history.runs):
        outputs = tuple(replace(output, observed_ns=run_index + 1) for output in run.outputs)
        history.runs[run_index] = replace(run, outputs=outputs)
    with opened(new_catalog) as catalog:
        record(catalog, history)
        once = contents(catalog)
        catalog.record_tasks(history.tasks)
        if history.runs:
            catalog.finish_run(history.runs[-1])
        assert contents(catalog) == once


@quick
@given(histories())
def test_upstream_and_downstream_are_inverse(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        hashes = [task.task_hash for task in history.tasks]
        for depth in (None, 1, 2):
            up = {(low, high.task_hash) for low in hashes for high in catalog.upstream(low, depth)}
            down = {
                (low.task_hash, high) for high in hashes for low in catalog.downstream(high, depth)
            }
            assert up == down


@quick
@given(histories())
def test_a_closure_is_its_steps_taken_to_the_end(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        for task in history.tasks:
            whole = catalog.upstream(task.task_hash)
            assert whole == catalog.upstream(task.task_hash, depth=len(history.tasks))
            assert {edge.task_hash for edge in whole.edges} <= {
                task.task_hash,
                *(each.task_hash for each in whole),
            }
            for edge in whole.edges:
                assert whole.depths[edge.upstream_hash] <= whole.depths[edge.task_hash] + 1


@quick
@given(histories(), st.randoms(use_true_random=False))
def test_a_catalog_rebuilt_from_sidecars_answers_like_the_live_one(
    new_catalog: Path, history: History, random: object
) -> None:
    standing = {run.outputs[0].uri: run for run in history.runs if run.outputs}
    made = [
        run
        for run in history.runs
        if run.outputs and run.run_id in {r.run_id for r in standing.values()}
    ]
    random.shuffle(made)  # type: ignore[attr-defined]
    uris = list(standing)
    with opened(new_catalog) as live, opened(new_catalog) as rebuilt:
        record(live, history)
        for run in made:
            rebuilt.index_sidecar(
                sidecar_of(history.task_of(run), run),
                uri=run.outputs[0].uri,
                kind=KIND,
                token=run.outputs[0].token,
            )
        for with_code_parts in (False, True):
            expected = live.target_records(uris, with_code_parts=with_code_parts)
            answered = rebuilt.target_records(uris, with_code_parts=with_code_parts)
            assert without_times(answered) == without_times(expected)
        hashes = [run.task_hash for run in made]
        assert yielded(rebuilt, hashes) == yielded(live, hashes)
        for run in made:
            assert edges(rebuilt, run) == edges(live, run)
            assert rebuilt.run(run.run_id).inputs == live.run(run.run_id).inputs


@quick
@given(histories(), st.randoms(use_true_random=False), st.sampled_from([1, 3, 100]))
def test_many_new_sidecars_come_to_the_same_as_one_after_the_other(
    new_catalog: Path, history: History, random: object, portion: int
) -> None:
    entries = [
        SidecarEntry(
            sidecar_of(history.task_of(run), run), run.outputs[0].uri, KIND, run.outputs[0].token, 7
        )
        for run in history.runs
        if run.outputs
    ]
    random.shuffle(entries)  # type: ignore[attr-defined]
    with opened(new_catalog) as one, opened(new_catalog) as many:
        for start in range(0, len(entries), portion):
            with many._connections.transaction() as session:
                for entry in index_new_sidecars(session, entries[start : start + portion]):
                    index_sidecar(session, entry)
        # What is new is recorded before what is known in part.
        for entry in entries:
            one.index_sidecar(
                entry.document, uri=entry.uri, kind=KIND, token=entry.token, observed_ns=7
            )
        uris = [entry.uri for entry in entries]
        if portion == 1:
            answered = many.target_records(uris, with_code_parts=True)
            assert answered == one.target_records(uris, with_code_parts=True)
        for run in history.runs:
            if run.outputs:
                assert edges(many, run) == edges(one, run)
                assert many.run(run.run_id) == one.run(run.run_id)
        assert {t.task_hash: t for t in many.tasks()} == {t.task_hash: t for t in one.tasks()}


def edges(catalog: Catalog, run: RunEntry) -> set[tuple[object, ...]]:
    return {
        (edge.upstream_hash, edge.place, edge.kind, edge.uri, edge.fingerprint, edge.run_id)
        for edge in catalog.upstream(run.task_hash, depth=1).edges
    }


@quick
@given(histories())
def test_indexing_over_a_live_catalog_changes_no_answer(
    new_catalog: Path, history: History
) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        uris = [uri_of(task.params["name"]) for task in history.tasks]
        standing = {run.outputs[0].uri: run for run in history.runs if run.outputs}
        before = without_times(catalog.target_records(uris, with_code_parts=True))
        tasks, runs = catalog.tasks(), catalog.runs()
        for uri, run in standing.items():
            document = sidecar_of(history.task_of(run), run)
            catalog.index_sidecar(document, uri=uri, kind=KIND, token=run.outputs[0].token)
        assert without_times(catalog.target_records(uris, with_code_parts=True)) == before
        assert (catalog.tasks(), catalog.runs()) == (tasks, runs)


@quick
@given(histories())
def test_keys_always_hold_and_statuses_are_as_told_one_by_one(
    new_catalog: Path, history: History
) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        with catalog._connections.snapshot() as session:
            assert session.rows("PRAGMA foreign_key_check") == []
            stale = {row[0] for row in session.rows("SELECT hash FROM stale_inputs")}
            assert len(session.rows("SELECT * FROM task_overview")) == len(history.tasks)
            session.rows("SELECT * FROM lineage")
        for task in catalog.tasks():
            assert (task.status == "stale") == (
                task.task_hash in stale and task.last_status != "failed"
            )
        for status in STATUSES:
            told = {task.task_hash for task in catalog.tasks() if task.status == status}
            assert {task.task_hash for task in catalog.tasks(status=status)} == told


@quick
@given(histories())
def test_an_output_alone_is_enough_to_find_its_task(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        for run in history.runs:
            for output in run.outputs:
                makers = catalog.makers(output.fingerprint)
                assert run.run_id in {maker.run_id for maker in makers}
                assert an_output(run.outputs[0].uri[5:-4]).uri == output.uri
