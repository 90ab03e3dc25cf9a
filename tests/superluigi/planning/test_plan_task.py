from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from superluigi import plan_task, run_task
from superluigi_catalog import Catalog
from tests import flows
from tests.flows import ran


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("superluigi.toml").touch()
    Path("source.txt").write_text("hello")


def actions(plan: object) -> dict[str, str]:
    return {decision.family: decision.action for decision in plan}  # type: ignore[attr-defined]


def test_a_plan_runs_nothing_and_makes_nothing() -> None:
    before = sorted(path.name for path in Path().iterdir())
    plan = plan_task(flows.Report())
    assert actions(plan) == {
        "Source": "skip",
        "Raw": "run",
        "Clean": "run",
        "PlainCount": "run",
        "Both": "skip",
        "Report": "run",
    }
    assert ran() == []
    assert sorted(p.name for p in Path().iterdir() if p.name != ".superluigi") == before


def test_decisions_come_in_running_order() -> None:
    order = [decision.family for decision in plan_task(flows.Report())]
    assert order.index("Source") < order.index("Raw") < order.index("Clean")
    assert order[-1] == "Report"


def test_what_an_upstream_may_change_is_a_maybe() -> None:
    run_task(flows.Report(), progress=False)
    Path("source.txt").write_text("changed")
    plan = plan_task(flows.Report())
    assert [d.family for d in plan.to_run] == ["Raw"]
    assert sorted(d.family for d in plan.maybe) == ["Clean", "PlainCount", "Report"]
    raw = plan.by_hash[flows.Raw().task_id]
    assert raw.reasons[0].kind == "input_changed"
    assert raw.reasons[0].details["path"] == "source.txt"
    assert raw.reasons[0].details["from"] != raw.reasons[0].details["to"]
    clean = plan.by_hash[flows.Clean().task_id]
    assert clean.reasons[0].kind == "upstream_runs"
    assert clean.reasons[0].details["upstream"] == raw.task_hash


def test_the_estimate_comes_from_history() -> None:
    assert plan_task(flows.Clean()).estimate_s is None
    run_task(flows.Clean(), progress=False)
    estimate = plan_task(flows.Clean(), force_upstream=True).estimate_s
    assert estimate is not None
    assert estimate > 0
    assert plan_task(flows.Clean()).estimate_s is None


def test_a_missing_external_input_blocks_what_needs_it_and_only_that() -> None:
    run_task(flows.Report(), progress=False)
    Path("source.txt").unlink()
    assert set(actions(plan_task(flows.Report())).values()) == {"skip"}
    Path("raw.txt").unlink()
    Path("report.txt").unlink()
    plan = plan_task(flows.Report())
    assert actions(plan)["Source"] == "blocked"
    assert actions(plan)["Raw"] == "blocked"
    assert actions(plan)["Report"] == "blocked"
    assert plan.blocked[0].reasons[0].kind == "missing_external"


def test_a_disabled_task_blocks_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.Raw, "disabled", True)
    plan = plan_task(flows.Clean())
    assert actions(plan)["Clean"] == "blocked"
    assert {reason.kind for d in plan.blocked for reason in d.reasons} >= {"disabled"}


def test_code_that_changed_is_always_said_and_reruns_only_when_asked(tmp_path: Path) -> None:
    module = tmp_path / "edited_flow.py"
    source = (
        "from pathlib import Path\n"
        "from superluigi.targets import LocalFileTarget\n"
        "from superluigi.tasks import AtomicTaskWithMetadata\n"
        "class Edited(AtomicTaskWithMetadata):\n"
        "    def output(self):\n"
        "        return LocalFileTarget('edited.txt')\n"
        "    def run(self, output_path):\n"
        "        Path(output_path).write_text(WORD)\n"
    )
    command = (
        "import json, sys; sys.path.insert(0, '.')\n"
        "from edited_flow import Edited\n"
        "from superluigi import plan_task, run_task\n"
        "rerun_on = set(sys.argv[1].split(','))\n"
        "plan = plan_task(Edited(), rerun_on=rerun_on)\n"
        "print(json.dumps([[r.kind, r.text] for r in next(iter(plan)).reasons]))\n"
        "print(len(run_task(Edited(), rerun_on=rerun_on, progress=False).ran))\n"
    )
    import subprocess
    import sys

    def build(word: str, triggers: str) -> tuple[list[list[str]], int]:
        module.write_text(source + f"WORD = {word!r}\n")
        done = subprocess.run(
            [sys.executable, "-c", command, triggers], capture_output=True, text=True, check=True
        )
        reasons, count = done.stdout.splitlines()
        return json.loads(reasons), int(count)

    assert build("one", "inputs")[1] == 1
    assert build("one", "inputs,code")[1] == 0
    reasons, count = build("two", "inputs")
    assert count == 0
    assert reasons[0][0] == "code_changed"
    assert "edited_flow" in reasons[0][1]
    reasons, count = build("two", "inputs,code")
    assert (reasons[0][0], count) == ("code_changed", 1)
    assert build("two", "inputs,code")[1] == 0


def test_verify_content_reads_what_a_look_would_not_show() -> None:
    run_task(flows.Clean(), progress=False)
    import os

    path = Path("clean/first.txt")
    status = path.stat()
    path.write_text("j")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    (clean,) = (d for d in plan_task(flows.Clean(), verify="content") if d.family == "Clean")
    assert clean.reasons[0].kind == "output_changed"


def test_verify_catalog_trusts_recent_looks_but_always_looks_at_roots() -> None:
    run_task(flows.Clean(), progress=False)
    Path("source.txt").write_text("changed")
    assert set(actions(plan_task(flows.Clean(), verify="catalog")).values()) == {"skip"}
    assert actions(plan_task(flows.Clean()))["Raw"] == "run"
    import shutil

    shutil.rmtree("clean")
    assert actions(plan_task(flows.Clean(), verify="catalog"))["Clean"] == "run"


def test_what_runs_carries_nothing_to_its_readers_when_inputs_are_no_trigger() -> None:
    run_task(flows.Report(), progress=False)
    Path("raw.txt").unlink()
    plan = plan_task(flows.Report(), rerun_on={"missing_anywhere"})
    assert {family for family, action in actions(plan).items() if action != "skip"} == {"Raw"}
    plan = plan_task(flows.Report(), rerun_on={"missing_anywhere", "inputs"})
    assert actions(plan)["Clean"] == "maybe"


def test_large_files_without_a_record_are_taken_by_size_and_time() -> None:
    Path("superluigi.toml").write_text("adopt_read_max_bytes = 5\n")
    Path("raw.txt").write_text("six by")
    Path("source.txt").write_text("five.")
    run_task(flows.Raw(), progress=False)
    assert ran() == []
    with Catalog() as catalog:
        (raw,), (source,) = catalog.targets("raw.txt"), catalog.targets("source.txt")
    assert raw.fingerprint.startswith("stat:6:")
    assert source.fingerprint.startswith("sha256:")
    plan_task(flows.Raw(), verify="content")
    with Catalog() as catalog:
        assert catalog.targets("raw.txt")[0].fingerprint.startswith("sha256:")


@pytest.mark.parametrize("count", [5, 60])
def test_the_number_of_statements_does_not_grow_with_the_graph(count: int) -> None:
    class Many(flows.WrapperTask):
        def requires(self):
            return [flows.Part(n=n) for n in range(count)]

    run_task(Many(), progress=False)
    plan_task(Many())  # what was written a moment ago is read again, and recorded as seen, once
    with Catalog() as catalog:
        statements: list[str] = []
        with catalog._reading() as session:
            session.connection.set_trace_callback(statements.append)
        plan_task(Many(), catalog=catalog)
    assert len(statements) < 25


def test_a_plan_can_be_read_drawn_and_sent() -> None:
    plan = plan_task(flows.Report())
    assert "4 to run, 2 up to date" in str(plan)
    assert json.loads(plan.to_json())["counts"] == {"skip": 2, "run": 4}
    assert "<table>" in plan._repr_html_()
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(plan)
    assert "raw.txt is missing" in console.export_text()


def test_markup_and_escapes_in_parameters_are_shown_literally() -> None:
    plan = plan_task(flows.Configured(word="[bold]x[/bold]\x1b[31m<b>"))
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(plan)
    text = console.export_text()
    assert "[bold]x[/bold]" in text
    assert "\x1b[31m" not in text
    assert "\x1b" not in str(plan)
    assert "<b>" not in plan._repr_html_()


def test_staleness_passes_through_what_is_gone_although_the_catalog_is_lost(project: Path) -> None:
    Path("source.txt").write_text("hello")
    run_task(flows.Report(), progress=False)
    Path("raw.txt").unlink()
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()
    assert not plan_task(flows.Report()).has_work
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()
    Path("source.txt").write_text("another")
    assert [d.family for d in plan_task(flows.Report()).to_run] == ["Raw"]


def test_readers_of_what_was_edited_and_then_deleted_wait_for_it_to_come_back() -> None:
    run_task(flows.Clean(), progress=False)
    Path("raw.txt").write_text("tampered")
    plan_task(flows.Clean())
    Path("raw.txt").unlink()
    for _ in range(2):
        actions = {d.family: d.action for d in plan_task(flows.Clean())}
        assert actions == {"Source": "skip", "Raw": "run", "Clean": "maybe"}
    result = run_task(flows.Clean(), progress=False)
    assert [d.family for d in result.ran] == ["Raw"]
    assert [d.family for d in result.unchanged] == ["Clean"]
