from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from superluigi.cli.errors import ExitCode
from tests.signals import heeds_ctrl_c

CHATTY = """
import os, sys
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata
print("printed on import")
class Chatty(AtomicTaskWithMetadata):
    def output(self):
        return {"b": [LocalFileTarget("data/b.txt")], "a": LocalFileTarget("data/a.txt")}
    def run(self, output_path):
        print("printed in run")
        os.system("echo said by a child")
        for path in (output_path["a"], output_path["b"][0]):
            open(path, "w").close()
"""

SLOW = """
import os, pathlib, time
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata
class Slow(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("data/slow.txt")
    def run(self, output_path):
        pathlib.Path("pid").write_text(str(os.getpid()))
        pathlib.Path("started").touch()
        time.sleep(60)
"""

FROM_CONFIG = """
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata
class Configured(AtomicTaskWithMetadata):
    size: int = IntParameter()
    def output(self):
        return LocalFileTarget(f"data/size-{self.size}.txt")
    def run(self, output_path):
        open(output_path, "w").close()
"""


def _ran(result):
    return [line.split()[1] for line in result.stderr.splitlines() if line.startswith("ran ")]


def test_a_run_prints_the_output_on_stdout_and_the_story_on_stderr(project):
    result = project.call("run", "flows.Total", "--n", "4")
    assert result.exit_code == 0
    path = result.stdout.strip()
    assert (project.root / path).read_text() == "4"
    assert _ran(result) == ["Numbers", "Total"]
    assert "printed by Numbers" in result.stderr


def test_what_tasks_and_their_children_print_never_reaches_stdout(project):
    project.write("chatty", CHATTY)
    done = project.start("run", "chatty.Chatty")
    assert (done.returncode, done.stdout) == (0, "data/b.txt\ndata/a.txt\n")
    for text in ("printed on import", "printed in run", "said by a child"):
        assert f"{text}\n" in done.stderr


def test_json_is_one_document_also_of_several_processes(project):
    project.write("chatty", CHATTY)
    done = project.start("run", "--json", "--workers", "2", "chatty.Chatty")
    document = json.loads(done.stdout)
    assert document["ok"]
    assert document["outputs"] == {"b": ["data/b.txt"], "a": "data/a.txt"}
    assert [row["family"] for row in document["ran"]] == ["Chatty"]


def test_a_second_run_does_nothing_and_prints_the_path_again(project):
    first = project.call("run", "flows.Total")
    second = project.call("run", "--quiet", "flows.Total")
    assert second.exit_code == 0
    assert (second.stdout, second.stderr) == (first.stdout, "")


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        (["--force"], ["Total"]),
        (["--force-upstream"], ["Numbers", "Total"]),
        (["--force-upstream-to", "Numbers"], ["Numbers", "Total"]),
        (["--force-upstream-to", "flows.Numbers"], ["Numbers", "Total"]),
        (["--force-upstream-to", "flows.Total"], ["Total"]),
        (["--force-upstream-to", "AtomicTaskWithMetadata"], ["Numbers", "Total"]),
    ],
)
def test_force_options_reach_what_they_name(project, options, ran):
    project.call("run", "flows.Total")
    assert _ran(project.call("run", *options, "flows.Total")) == ran


def test_force_upstream_to_takes_the_beginning_of_a_hash(project):
    document = json.loads(project.call("run", "--json", "flows.Total").stdout)
    numbers = next(row["task_hash"] for row in document["ran"] if row["family"] == "Numbers")
    result = project.call("run", "--force-upstream-to", numbers[:6], "flows.Total")
    assert _ran(result) == ["Numbers", "Total"]


def test_force_readers_of_takes_a_path(project):
    project.call("run", "flows.Total")
    (numbers,) = (project.root / "data").glob("numbers-*.txt")
    path = str(numbers.relative_to(project.root))
    assert _ran(project.call("run", "--force-readers-of", path, "flows.Total")) == ["Total"]
    result = project.call("run", "--force-readers-of", "data/absent.txt", "flows.Total")
    assert result.exit_code == ExitCode.USAGE
    assert "reads 'data/absent.txt'" in result.stderr


def test_also_asks_for_recorded_tasks_in_the_same_build(project):
    document = json.loads(project.call("run", "--json", "flows.Total").stdout)
    numbers = next(row["task_hash"] for row in document["ran"] if row["family"] == "Numbers")
    result = project.call("run", "--force", "--also", numbers[:6], "flows.Total")
    assert _ran(result) == ["Numbers", "Total"]
    plan = json.loads(project.call("plan", "--json", "--also", numbers, "flows.Total").stdout)
    assert [each["family"] for each in plan["decisions"] if each["is_root"]] == ["Numbers", "Total"]
    result = project.call("run", "--also", "0000beef", "flows.Total")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "'0000beef'" in result.stderr


def test_force_upstream_to_something_unknown_names_what_there_is(project):
    result = project.call("run", "--force-upstream-to", "numbers_", "flows.Total")
    assert result.exit_code == ExitCode.USAGE
    assert "numbers_ is not in the graph" in result.stderr
    assert "In the graph are Numbers, Total" in result.stderr
    assert not (project.root / "data").exists()


def test_force_options_contradict_each_other(project):
    result = project.call("run", "--force", "--force-upstream", "flows.Total")
    assert result.exit_code == ExitCode.USAGE
    assert "--force and --force-upstream contradict each other" in result.stderr


def test_parameters_may_be_named_as_our_options(project):
    result = project.call(
        "run", "--json", "--workers", "2", "flows.Total", "--force", "--workers", "3"
    )
    params = json.loads(result.stdout)["ran"][-1]["params"]
    assert params == {"force": "True", "workers": "3", "n": "3"}
    again = project.call("run", "flows.Total", "--force", "--workers", "3")
    assert _ran(again) == []


def test_a_failing_task_shows_its_traceback_once_and_exits_with_1(project):
    result = project.call("run", "flows.Boom")
    assert result.exit_code == ExitCode.FAILED
    assert result.stdout == ""
    assert result.stderr.count("Traceback") == 1
    assert 'raise ValueError("no luck")' in result.stderr
    assert "superluigi/" not in result.stderr


def test_a_failing_task_is_explained_also_when_quiet_and_as_json(project):
    result = project.call("run", "--quiet", "--json", "flows.Boom")
    assert result.exit_code == ExitCode.FAILED
    document = json.loads(result.stdout)
    assert (document["ok"], document["failures"][0]["error"]) == (False, "no luck")
    assert "ValueError: no luck" in result.stderr


def test_a_missing_external_input_fails_the_build(project):
    result = project.call("run", "flows.Missing")
    assert result.exit_code == ExitCode.FAILED
    assert "data/raw.txt" in result.stderr


def test_what_requires_raises_is_shown_from_the_users_frame(project):
    result = project.call("run", "flows.Unaskable")
    assert result.exit_code == ExitCode.FAILED
    assert "Unaskable" in result.stderr
    assert "KeyError: 'what'" in result.stderr
    assert "superluigi/" not in result.stderr


def test_raise_exception_stops_at_the_first_exception(project):
    result = project.call("run", "--raise-exception", "flows.Boom")
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.endswith("Error: A task raised ValueError: no luck\n")
    assert "superluigi/" not in result.stderr


def test_pdb_stops_in_the_users_frame(project):
    done = project.start("run", "--pdb", "flows.Boom", stdin="p secret * 2\nq\n")
    assert done.returncode == ExitCode.FAILED
    assert done.stdout == ""
    assert "flows.py(" in done.stderr
    assert "(Pdb) 84\n" in done.stderr


def test_pdb_stops_where_a_task_cannot_be_asked(project):
    done = project.start("run", "--pdb", "flows.Unaskable", stdin="q\n")
    assert done.returncode == ExitCode.FAILED
    assert "requires()" in done.stderr


def test_pdb_and_several_workers_exclude_each_other(project):
    result = project.call("run", "--pdb", "--workers", "2", "flows.Total")
    assert result.exit_code == ExitCode.USAGE
    assert "leave --workers out" in result.stderr


def test_a_dry_run_is_a_plan(project):
    result = project.call("run", "--dry-run", "flows.Total")
    assert result.exit_code == ExitCode.HAS_WORK
    assert result.stdout.count("\n") == 2
    assert not (project.root / "data").exists()


def test_retries_run_a_failing_task_again(project):
    result = project.call("run", "--retries", "1", "flows.Boom")
    assert result.exit_code == ExitCode.FAILED
    assert "(attempt 2)" in result.stderr


def test_parameters_come_from_the_projects_settings_and_from_a_config_file(project):
    project.write("configured", FROM_CONFIG)
    missing = project.call("run", "configured.Configured")
    assert missing.exit_code == ExitCode.USAGE
    assert "needs --size (a whole number)" in missing.stderr
    (project.root / "superluigi.toml").write_text("[params.Configured]\nsize = 7\n")
    assert project.call("run", "configured.Configured").stdout == "data/size-7.txt\n"
    (project.root / "other.cfg").write_text("[Configured]\nsize = 8\n")
    by_file = project.call("run", "--config-file", "other.cfg", "configured.Configured")
    assert by_file.stdout == "data/size-8.txt\n"
    given = project.call("run", "--config-file", "other.cfg", "configured.Configured", "--size=9")
    assert given.stdout == "data/size-9.txt\n"


def test_a_configured_value_that_does_not_parse_is_named(project):
    project.write("configured", FROM_CONFIG)
    (project.root / "superluigi.toml").write_text("[params.Configured]\nsize = 'big'\n")
    result = project.call("run", "configured.Configured")
    assert result.exit_code == ExitCode.USAGE
    assert "configuration's value of 'size' for Configured is not a whole number" in result.stderr


def test_settings_that_cannot_be_used_are_bad_usage(project):
    (project.root / "superluigi.toml").write_text("rerun = 1\n")
    result = project.call("run", "flows.Total")
    assert result.exit_code == ExitCode.USAGE
    assert "unknown key 'rerun'" in result.stderr


def test_an_unreachable_scheduler_refuses(project):
    result = project.call("run", "--scheduler-url", "http://127.0.0.1:9", "flows.Total")
    assert result.exit_code == ExitCode.REFUSED
    assert "does not answer" in result.stderr


def test_private_values_are_not_recorded(project):
    done = project.start("run", "flows.Total", "--password", "s3cret-1", "--n", "5")
    assert done.returncode == 0
    project.start("run", "flows.Total", "--password=s3cret-2")
    recorded = project.call("builds", "--json").stdout
    assert "s3cret" not in recorded
    commands = [build["argv"][-5:] for build in json.loads(recorded)]
    assert commands[1] == ["flows.Total", "--password", "***", "--n", "5"]
    assert commands[0][-1] == "--password=***"


def test_hostile_text_stays_text(project):
    hostile = "[red]\x1b[31m\u202e\nx"
    result = project.call("run", "flows.Label", "--text", hostile)
    assert result.exit_code == 0
    for raw in ("\x1b", "\u202e"):
        assert raw not in result.output
    assert "text=[red]\\x1b[31m\\u202e\\nx" in result.stderr
    wrong = project.call("run", "flows.Total", f"--n={hostile}", "--no-color")
    assert "\x1b" not in wrong.output


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_run_says_so_and_is_recorded(project, sent, workers):
    project.write("slow", SLOW)
    project.make_catalog()
    child = subprocess.Popen(
        [sys.executable, "-m", "superluigi", "run", "--workers", workers, "slow.Slow"],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heeds_ctrl_c,
    )
    while not (project.root / "started").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(sent)
    if sent == signal.SIGINT:
        first = child.stderr.readline()
        while not first.startswith("Interrupted"):
            first = child.stderr.readline()
        assert "waiting for a running task to end. Press Ctrl-C again" in first
        child.send_signal(sent)
    stdout, stderr = child.communicate(timeout=30)
    assert (child.returncode, stdout) == (ExitCode.INTERRUPTED, "")
    assert stderr.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in stderr
    assert json.loads(project.call("builds", "--json").stdout)[0]["status"] == "interrupted"
    assert json.loads(project.call("runs", "--json").stdout)[0]["status"] == "interrupted"
    if workers == "2":
        with pytest.raises(ProcessLookupError):
            os.kill(int((project.root / "pid").read_text()), 0)


def test_a_reader_that_went_away_is_no_error(project):
    project.call("run", "flows.Total")
    for command in (["plan", "--all", "flows.Total"], ["tasks"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(
            [sys.executable, "-m", "superluigi", *command],
            cwd=project.root,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        os.close(write)
        assert done.returncode == 0
        assert "roken" not in done.stderr
