from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.parameter import ParameterVisibility

from superluigi import plan_task, run_task
from superluigi.errors import BuildFailed, PlanError, TaskFailed
from superluigi.task_runner import BuildResult
from superluigi_catalog import Catalog
from tests import flows
from tests.flows import ran


def build(task: Any, **options: Any) -> BuildResult:
    return run_task(task, **{"progress": False, **options})


def names(decisions: Any) -> list[str]:
    return sorted(decision.family for decision in decisions)


def failed_build(task: Any, **options: Any) -> BuildFailed:
    with pytest.raises(BuildFailed) as caught:
        build(task, **options)
    return caught.value


@pytest.mark.parametrize("num_workers", [1, 3])
def test_the_first_build_makes_everything_and_the_second_runs_nothing(num_workers: int) -> None:
    first = build(flows.Report(), num_workers=num_workers)
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw", "Report"]
    assert names(first.ran) == ["Clean", "PlainCount", "Raw", "Report"]
    assert first.outputs == {"text": "report.txt", "figure": "report.svg"}
    second = build(flows.Report(), num_workers=num_workers)
    assert ran() == []
    assert second.ok
    assert second.ran == ()
    assert Path("report.txt").read_text() == "HELLO"


def test_upstream_runs_before_what_reads_it() -> None:
    build(flows.Report())
    order = ran()
    assert order[0] == "Raw"
    assert order[-1] == "Report"


def test_a_deleted_intermediate_whose_readers_are_fresh_is_not_made_again() -> None:
    build(flows.Report())
    ran()
    Path("raw.txt").unlink()
    result = build(flows.Report())
    assert ran() == []
    (raw,) = (d for d in result.decisions if d.family == "Raw")
    assert raw.reasons[0].kind == "missing"
    assert not Path("raw.txt").exists()


def test_a_deleted_intermediate_is_made_again_with_missing_anywhere() -> None:
    build(flows.Report())
    ran()
    Path("raw.txt").unlink()
    result = build(flows.Report(), rerun_on={"missing_anywhere", "inputs"})
    assert ran() == ["Raw"]
    assert names(result.unchanged) == ["Clean", "PlainCount", "Report"]


def test_a_deleted_intermediate_that_something_needs_is_made_again() -> None:
    build(flows.Report())
    ran()
    Path("raw.txt").unlink()
    Path("report.svg").unlink()
    result = build(flows.Report())
    assert sorted(ran()) == ["Raw", "Report"]
    assert names(result.unchanged) == ["Clean", "PlainCount"]


def test_a_changed_external_file_reruns_what_reads_it_and_on() -> None:
    build(flows.Report())
    ran()
    Path("source.txt").write_text("jello there")
    build(flows.Report())
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw", "Report"]
    assert Path("report.txt").read_text() == "JELLO THERE"


@pytest.mark.parametrize("num_workers", [1, 2])
def test_what_reads_bytes_that_came_out_the_same_is_unchanged(num_workers: int) -> None:
    build(flows.Clean())
    build(flows.PlainCount())
    ran()
    Path("source.txt").write_text("hallo")  # Raw changes, Clean's first letter does not
    build(flows.Clean(), num_workers=num_workers)
    assert sorted(ran()) == ["Clean", "Raw"]
    Path("source.txt").write_text("hal")
    result = build(flows.Report(), num_workers=num_workers)
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw", "Report"]
    assert result.ok


def test_touching_a_file_reruns_nothing() -> None:
    build(flows.Report())
    ran()
    Path("raw.txt").touch()
    Path("source.txt").touch()
    assert build(flows.Report()).ran == ()
    assert ran() == []


def test_an_output_edited_by_hand_is_reported_and_left_alone() -> None:
    build(flows.Clean())
    ran()
    Path("clean/first.txt").write_text("edited")
    result = build(flows.Clean())
    assert ran() == []
    assert Path("clean/first.txt").read_text() == "edited"
    (clean,) = (d for d in result.decisions if d.family == "Clean")
    assert clean.reasons[0].kind == "output_changed"
    build(flows.Clean(), rerun_on={"output", "inputs"})
    assert ran() == ["Clean"]
    assert Path("clean/first.txt").read_text() == "h"


def test_an_edited_intermediate_is_a_changed_input_to_its_readers() -> None:
    build(flows.Clean())
    ran()
    Path("raw.txt").write_text("XYZ")
    build(flows.Clean())
    assert ran() == ["Clean"]
    assert Path("clean/first.txt").read_text() == "X"


def test_the_same_path_for_another_parameter_is_made_again() -> None:
    build(flows.Numbered(n=3))
    ran()
    result = build(flows.Numbered(n=4))
    assert ran() == ["Numbered"]
    assert result.ran[0].reasons[0].kind == "other_task"
    assert Path("numbered.txt").read_text() == "4"
    build(flows.Numbered(n=3))
    assert ran() == ["Numbered"]


def test_two_tasks_that_claim_one_target_are_refused_before_anything_runs() -> None:
    with pytest.raises(PlanError, match=r"both make 'numbered\.txt'"):
        build(flows.TwoClaims())
    assert ran() == []


def test_outputs_that_stand_without_a_record_are_adopted_and_watched() -> None:
    Path("raw.txt").write_text("made before")
    Path("clean").mkdir()
    Path("clean/first.txt").write_text("m")
    first = build(flows.Clean())
    assert ran() == []
    assert {d.reasons[0].kind for d in first.skipped if d.family != "Source"} == {"adopted"}
    assert json.loads(Path("raw.txt.metadata.json").read_text())["adopted"] is True
    assert build(flows.Clean()).ran == ()
    Path("source.txt").write_text("new")
    build(flows.Clean())
    assert ran() == ["Raw", "Clean"]


def test_a_lost_catalog_changes_no_decision() -> None:
    build(flows.Report())
    ran()
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()
    assert build(flows.Report()).ran == ()
    assert ran() == []
    Path("source.txt").write_text("other text")
    build(flows.Report())
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw", "Report"]


def test_a_missing_external_input_blocks_and_fails_the_build() -> None:
    Path("source.txt").unlink()
    error = failed_build(flows.Clean())
    assert ran() == []
    assert names(error.result.blocked) == ["Clean", "Raw", "Source"]
    assert "source.txt is missing, and it comes from outside" in str(error)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_failing_task_blocks_its_readers_and_nothing_else(num_workers: int) -> None:
    error = failed_build(flows.AfterFailing(), num_workers=num_workers)
    assert sorted(ran()) == ["Clean", "Failing", "Raw"]
    result = error.result
    assert not result.ok
    assert names(result.failed) == ["Failing"]
    assert names(result.blocked) == ["AfterFailing"]
    assert names(result.ran) == ["Clean", "Raw"]
    (failure,) = error.failures
    assert failure.error_type == "ValueError"
    assert failure.error == "bad luck"
    assert failure.traceback.splitlines()[1].strip().startswith('File "')
    assert "flows.py" in failure.traceback.splitlines()[1]
    assert not Path("failing.txt").exists()
    assert isinstance(error.__cause__, TaskFailed)
    if num_workers == 1:
        assert str(error.__cause__.__cause__) == "bad luck"


def test_a_wrapper_of_something_that_failed_is_not_complete() -> None:
    class Wraps(flows.WrapperTask):
        def requires(self):
            return [flows.Failing(), flows.Clean()]

    result = failed_build(Wraps()).result
    assert names(result.blocked) == ["Wraps"]
    assert names(result.failed) == ["Failing"]


def test_retries_run_a_failing_task_again() -> None:
    Path("failures_left.txt").write_text("2")
    result = build(flows.AfterFailing(), retries=2)
    assert ran().count("Failing") == 3
    assert result.ok


def test_retries_end() -> None:
    failed_build(flows.Failing(), retries=1)
    assert ran().count("Failing") == 2


@pytest.mark.parametrize(
    ("task", "advice"),
    [
        (flows.WritesNothing, "Write the result to the path that is passed as output_path"),
        (flows.PlainWritesNothing, "run() ended without writing"),
    ],
)
def test_a_run_that_writes_nothing_has_failed(task: Any, advice: str) -> None:
    error = failed_build(task())
    assert "OutputNotWritten" in error.failures[0].error_type
    assert advice in error.failures[0].error


def test_a_worker_process_that_dies_fails_its_task() -> None:
    error = failed_build([flows.Dies(), flows.Part(n=1)], num_workers=2)
    assert names(error.result.failed) == ["Dies"]
    assert names(error.result.ran) == ["Part"]
    assert "exit code 3" in error.failures[0].error


def test_a_task_over_its_worker_timeout_fails() -> None:
    error = failed_build(flows.Sleeps())
    assert "timed out after 1 seconds" in error.failures[0].error


def test_a_failing_forced_run_keeps_the_old_output() -> None:
    Path("failures_left.txt").write_text("0")
    build(flows.Failing())
    Path("failures_left.txt").write_text("9")
    before = Path("failing.txt.metadata.json").read_bytes()
    failed_build(flows.Failing(), force=True)
    assert Path("failing.txt").read_text() == "half"
    assert Path("failing.txt.metadata.json").read_bytes() == before
    ran()
    assert build(flows.Failing()).ok
    assert ran() == []


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_failing_forced_run_that_writes_in_place_puts_the_old_output_back(
    num_workers: int,
) -> None:
    build(flows.InPlace())
    Path("next.txt").write_text("new")
    Path("fail").touch()
    failed_build(flows.InPlace(), force=True, num_workers=num_workers)
    assert Path("inplace.txt").read_text() == "1"
    ran()
    assert build(flows.InPlace()).ok
    assert ran() == []
    Path("fail").unlink()
    build(flows.InPlace(), force=True, num_workers=num_workers)
    assert Path("inplace.txt").read_text() == "new"


def test_what_a_failed_first_run_wrote_in_place_is_not_taken_for_a_result() -> None:
    Path("fail").touch()
    failed_build(flows.InPlace())
    assert Path("inplace.txt").exists()
    ran()
    Path("fail").unlink()
    result = build(flows.InPlace())
    assert ran() == ["InPlace"]
    assert result.ran[0].reasons[0].kind == "interrupted"


def test_nothing_is_left_beside_the_targets() -> None:
    build(flows.Report())
    build(flows.InPlace())
    build(flows.Report(), force_upstream=True)
    assert [path.name for path in Path().iterdir() if path.name.startswith(".superluigi-")] == []
    assert list(Path().glob("*.next")) == []
    assert list(Path(".superluigi/tmp").iterdir()) == []


def test_metadata_of_a_task_that_writes_in_place_is_in_its_sidecar() -> None:
    build(flows.InPlaceWithMetadata())
    assert json.loads(Path("inplace_meta.txt.metadata.json").read_text())["answer"] == 42


@pytest.mark.parametrize("num_workers", [1, 2])
def test_dynamic_dependencies_are_made_and_stand_in_the_lineage(num_workers: int) -> None:
    result = build(flows.Dynamic(), num_workers=num_workers)
    assert names(result.ran) == ["Dynamic", "Part", "Part", "Part"]
    sidecar = json.loads(Path("dynamic.txt.metadata.json").read_text())
    assert [row["path"] for row in sidecar["inputs"]] == ["part1.txt", "part2.txt", "part3.txt"]
    assert set(sidecar["dynamic_upstream"].values()) == {flows.Part(n=n).task_id for n in (1, 2, 3)}
    ran()
    assert build(flows.Dynamic(), num_workers=num_workers).ran == ()


def test_a_changed_dynamic_dependency_reruns_what_yielded_it() -> None:
    build(flows.Dynamic())
    ran()
    Path("part2.txt").write_text("edited")
    result = build(flows.Dynamic())
    assert ran() == ["Dynamic"]
    assert result.ran[0].reasons[0].kind == "input_changed"


def test_an_overridden_complete_is_asked_once_and_decides() -> None:
    build(flows.OwnComplete())
    assert ran() == ["OwnComplete"]
    Path("asked.log").unlink()
    build(flows.OwnComplete())
    assert ran() == []
    assert Path("asked.log").read_text().split() == ["asked"]
    Path("own_is_complete").unlink()
    build(flows.OwnComplete())
    assert ran() == ["OwnComplete"]


def test_a_task_without_output_runs_in_every_build() -> None:
    for _ in range(2):
        build(flows.NoOutput())
        assert ran() == ["NoOutput"]


def test_a_wrapper_makes_what_it_wraps() -> None:
    result = build(flows.Both())
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw"]
    assert result.ok
    Path("count.txt").unlink()
    build(flows.Both())
    assert ran() == ["PlainCount"]


def test_missing_alone_looks_no_further_than_complete_tasks() -> None:
    build(flows.Clean())
    ran()
    Path("source.txt").write_text("changed")
    result = build(flows.Clean(), rerun_on={"missing"})
    assert ran() == []
    assert names(result.decisions) == ["Clean"]


def test_an_endless_graph_ends_at_what_is_complete() -> None:
    Path("day3.txt").write_text("3")
    build(flows.Yesterday(day=5))
    assert ran() == ["Yesterday", "Yesterday"]


def test_a_list_of_tasks_gives_a_list_of_outputs() -> None:
    result = build([flows.Part(n=1), flows.Part(n=2)])
    assert result.outputs == ["part1.txt", "part2.txt"]


def test_a_class_takes_its_parameters_from_the_configuration() -> None:
    result = build(flows.Configured, config={"Configured": {"word": "given"}})
    assert result.outputs == "configured_given.txt"
    Path("extra.cfg").write_text("[Configured]\nword=filed\n")
    assert build(flows.Configured, config_file="extra.cfg").outputs == "configured_filed.txt"
    Path("superluigi.toml").write_text('[params.Configured]\nword = "set"\n')
    assert build(flows.Configured).outputs == "configured_set.txt"
    from luigi.parameter import MissingParameterException

    Path("superluigi.toml").write_text("")
    with pytest.raises(MissingParameterException):
        build(flows.Configured)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": 0}, "at least 1"),
        ({"num_workers": 2, "raise_exception": True}, "num_workers=2"),
        ({"num_workers": True}, "num_workers is True \\(bool\\)"),
        ({"retries": -1}, "retries is -1; .* at least 0"),
        ({"retries": True}, "retries is True \\(bool\\)"),
        ({"force": "yes"}, "force is 'yes' \\(str\\); it takes True or False"),
        ({"force_upstream": 1}, "force_upstream is 1 \\(int\\)"),
        ({"resume": "no"}, "resume is 'no'"),
        ({"raise_exception": None}, "raise_exception is None"),
        ({"local_output": "here"}, "local_output is 'here'"),
        ({"force_local_download": "x"}, "force_local_download is 'x'"),
        ({"central_scheduler": "http://x"}, "central_scheduler is 'http://x'"),
        ({"config": {"X": 5}}, r"config\['X'\] is 5; config takes \{section: \{key: value\}\}"),
        ({"config": "luigi.cfg"}, "config is 'luigi.cfg'; config takes"),
        ({"rerun_on": 3}, "rerun_on is 3; it takes a set of trigger names"),
        ({"rerun_on": {"moon"}}, "unknown trigger 'moon'"),
        ({"verify": "maybe"}, "verify = 'maybe'"),
        ({"progress": "loud"}, "progress takes"),
        ({"config_file": "absent.cfg"}, "does not exist"),
    ],
)
def test_a_wrong_argument_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        run_task(flows.Part(n=1), **{"progress": False, **options})


@pytest.mark.parametrize("task", ["Part", None, 3, [], [3]])
def test_what_is_no_task_is_refused(task: Any) -> None:
    with pytest.raises(TypeError, match=r"run_task"):
        build(task)


def test_every_run_and_build_is_recorded_with_its_reason() -> None:
    build(flows.Clean())
    failed_build(flows.AfterFailing())
    with Catalog() as catalog:
        (run,) = catalog.runs(flows.Raw())
        assert run.status == "succeeded"
        assert run.reason["kind"] == "missing"
        (failed,) = catalog.runs(flows.Failing())
        assert failed.status == "failed"
        assert "bad luck" in failed.traceback
        builds = list(catalog.builds())
        assert [entry.status for entry in builds] == ["failed", "succeeded"]
        assert catalog.who_made("raw.txt").task_hash == flows.Raw().task_id
        upstream = {task.family for task in catalog.upstream("clean")}
        assert upstream == {"Raw", "Source"}


def test_a_settings_file_with_an_unknown_key_is_refused() -> None:
    Path("superluigi.toml").write_text("rerun = 3\n")
    with pytest.raises(ValueError, match=r"unknown key 'rerun'"):
        build(flows.Part(n=1))


def test_values_of_private_parameters_are_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class Secretive(flows.AtomicTaskWithMetadata):
        password = flows.Parameter(visibility=ParameterVisibility.PRIVATE)

        def output(self):
            return flows.LocalFileTarget("secretive.txt")

        def run(self, output_path, metadata):
            Path(output_path).write_text(f"{sorted(metadata['params'])}")

    secret = "s3cr3t"[::-1]  # the sources are recorded, and may say whatever they say
    monkeypatch.setattr("sys.argv", ["run.py", f"--password={secret}"])
    build(Secretive(password=secret))
    written = [path for path in Path().rglob("*") if path.is_file()]
    assert [path for path in written if secret.encode() in path.read_bytes()] == []
    ran()
    assert build(Secretive(password="rotated")).ran == ()


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
def test_values_of_private_parameters_of_plain_tasks_are_nowhere(
    fails: bool,
    num_workers: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    class PlainSecretive(luigi.Task):
        password = flows.Parameter(visibility=ParameterVisibility.PRIVATE)

        def output(self):
            return luigi.LocalTarget("secretive.txt")

        def run(self):
            if not fails:
                Path("secretive.txt").touch()

    class Outer(luigi.Task):
        password = flows.Parameter(visibility=ParameterVisibility.PRIVATE)

        def requires(self):
            return PlainSecretive(self.password)

        def output(self):
            return luigi.LocalTarget("outer.txt")

        def run(self):
            Path("outer.txt").touch()

    class PlainMissing(luigi.ExternalTask):
        password = flows.Parameter(visibility=ParameterVisibility.PRIVATE)

    secret = "s3cr3t"[::-1]
    monkeypatch.setattr("sys.argv", ["run.py", f"--password={secret}"])
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", "luigi-interface")
    told: list[Any] = [plan_task(Outer(password=secret)), plan_task(Outer(secret)).to_json()]
    told.append(plan_task(PlainMissing(secret)))
    for task in (PlainSecretive(secret), Outer(secret)):
        try:
            result = run_task(task, num_workers=num_workers, force=True)
        except BuildFailed as error:
            told += [error, *error.failures, *map(str, traceback.format_exception(error))]
            result = error.result
        told += [result, repr(result), result.to_dict(), result._repr_html_()]
    assert secret not in "".join(map(str, told))
    assert secret not in caplog.text
    assert secret not in "".join(capfd.readouterr())
    written = [path for path in Path().rglob("*") if path.is_file()]
    assert [path for path in written if secret.encode() in path.read_bytes()] == []


def test_identities_may_change_while_the_result_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    build(flows.Clean())
    ran()
    before = json.loads(Path("clean.metadata.json").read_text())
    extra = flows.IntParameter(default=7)
    extra.__set_name__(flows.Raw, "extra")
    with monkeypatch.context() as patched:
        patched.setattr(flows.Raw, "extra", extra, raising=False)
        flows.Raw.clear_instance_cache()
        result = build(flows.Clean())
    flows.Raw.clear_instance_cache()
    assert ran() == []
    assert names(result.unchanged) == ["Clean", "Raw"]
    after = json.loads(Path("clean.metadata.json").read_text())
    assert after["task_hash"] != before["task_hash"]
    assert after["run_id"] == before["run_id"]
    assert after["output"] == before["output"]


def test_a_deleted_sidecar_is_written_again_from_the_catalog() -> None:
    build(flows.Clean())
    build(flows.PlainCount())
    kept = {path: json.loads(path.read_text()) for path in Path().glob("*.metadata.json")}
    assert len(kept) == 3
    for path in kept:
        path.unlink()
    ran()
    build(flows.Report(), force=True)
    assert ran() == ["Report"]
    for path, before in kept.items():
        after = json.loads(path.read_text())
        before["output"].pop("contents", None)
        for document in (before, after):
            document["output"] = {k: v for k, v in document["output"].items() if v is not None}
        assert after == before


def test_an_edited_output_stays_one_when_the_catalog_is_lost() -> None:
    build(flows.Raw())
    Path("raw.txt").write_text("edited by hand")
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()
    before = Path("raw.txt.metadata.json").read_bytes()
    result = build(flows.Raw())
    (raw,) = (d for d in result.decisions if d.family == "Raw")
    assert raw.reasons[0].kind == "output_changed"
    assert Path("raw.txt.metadata.json").read_bytes() == before


def test_a_sidecar_that_cannot_be_read_is_said_and_kept() -> None:
    build(flows.Raw())
    Path("raw.txt.metadata.json").write_text("{ garbage")
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()
    result = build(flows.Raw())
    (raw,) = (d for d in result.decisions if d.family == "Raw")
    assert raw.reasons[0].kind == "adopted"
    assert "raw.txt.metadata.json" in raw.reasons[0].text
    assert Path("raw.txt.metadata.json").read_text() == "{ garbage"


def test_warnings_of_a_task_are_shown_where_nobody_configured_logging() -> None:
    import subprocess
    import sys

    program = (
        "import logging\n"
        "from superluigi import run_task\n"
        "from superluigi.tasks import Task\n"
        "class Warns(Task):\n"
        "    def run(self):\n"
        "        logging.getLogger('mine').warning('look here')\n"
        "run_task(Warns(), progress=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == "look here\n"
    (log,) = Path(".superluigi/builds").glob("*/runs/*.log")
    assert log.read_text() == "look here\n"


def test_an_edit_by_hand_is_still_one_after_a_build_that_left_it_alone() -> None:
    build(flows.Clean())
    Path("clean/first.txt").write_text("edited")
    Path("raw.txt").unlink()
    result = build(flows.Clean(), rerun_on={"missing_anywhere", "inputs"})
    assert names(result.unchanged) == ["Clean"]
    ran()
    build(flows.Clean(), rerun_on={"output", "inputs"})
    assert ran() == ["Clean"]


def test_a_result_whose_inputs_are_gone_is_adopted_all_the_same() -> None:
    Path("source.txt").unlink()
    Path("clean").mkdir()
    Path("clean/first.txt").write_text("m")
    assert build(flows.Clean()).ran == ()
    Path("source.txt").write_text("hello")
    assert build(flows.Clean()).ran == ()
    assert ran() == []


def test_what_a_task_wrote_past_its_output_path_is_never_taken_for_a_result() -> None:
    for standing in (False, True):
        if standing:
            Path("strayed.txt").write_text("older")
            Path("strayed.txt.metadata.json.next").unlink(missing_ok=True)
            assert run_task(flows.Strays(), progress=False).ok  # adopted
            Path("stray").touch()
        with pytest.raises(BuildFailed, match=r"It wrote 'strayed\.txt' itself"):
            run_task(flows.Strays(), force=standing, progress=False)
        with pytest.raises(BuildFailed):
            run_task(flows.Strays(), progress=False)
        assert ran() == ["Strays", "Strays"]
        Path("stray").touch()


def test_what_is_unchanged_keeps_what_its_run_said_of_it() -> None:
    build(flows.Annotated())
    with Catalog() as catalog:
        made = catalog.run(catalog.runs(flows.Annotated())[0].run_id)
    assert made.metadata == {"note": "first"}
    build(flows.Clean(), force_upstream_to_task_cls=flows.Clean)
    result = run_task(flows.Annotated(), force_upstream_to_task_cls=None, progress=False)
    assert result.ran == ()
    Path("source.txt").write_text("hello again")
    result = run_task(flows.Annotated(), progress=False)
    assert "Annotated" in names(result.unchanged)
    with Catalog() as catalog:
        again = catalog.run(catalog.runs(flows.Annotated())[0].run_id)
    assert (again.status, again.metadata) == ("unchanged", made.metadata)
    assert again.code == made.code
    assert again.environment == made.environment


def test_the_last_line_tells_of_what_is_gone_and_not_needed() -> None:
    build(flows.Report())
    Path("raw.txt").unlink()
    result = build(flows.Report())
    assert result.ran == ()
    assert "6 up to date, 1 of them missing and not needed in" in str(result)
