from __future__ import annotations

import json
from pathlib import Path

import pytest

from superluigi.cli.errors import ExitCode
from superluigi.cli.texts import digest_text, duration_text, moment_text, size_text

HOSTILE = "[red]\x1b[31m\u202e\nx"


@pytest.fixture
def built(project):
    document = json.loads(project.call("run", "--json", "flows.Total", "--n", "4").stdout)
    project.hashes = {row["family"]: row["task_hash"] for row in document["ran"]}
    project.path = document["outputs"]
    return project


def test_show_tells_all_of_a_task(built):
    result = built.call("show", built.hashes["Total"][:8])
    assert result.exit_code == 0
    text = result.stdout
    assert text.splitlines()[0] == f"Total {built.hashes['Total'][:8]}  fresh"
    for part in ("flows", "n=4", built.path, "sha256:", "1 B", "is missing"):
        assert part in text
    assert f"from Numbers {built.hashes['Numbers'][:8]}" in text
    assert result.stderr == ""


def test_show_takes_a_path_and_shows_the_tasks_own_metadata(built):
    numbers = json.loads(built.call("show", built.hashes["Numbers"], "--json").stdout)
    path = numbers["outputs"][0]["uri"]
    assert numbers["metadata"]["rows"] == 4
    assert numbers["runs"][0]["reason"]["kind"] == "missing"
    shown = built.call("show", path).stdout
    assert f"Numbers {built.hashes['Numbers'][:8]}" in shown
    assert "rows" in shown


def test_show_sidecar_tells_what_stands_beside_the_outputs(built):
    path = (
        built.root
        / json.loads(built.call("show", "--json", built.path).stdout)["outputs"][0]["uri"]
    )
    sidecar = f"{path}.metadata.json"
    shown = built.call("show", "--sidecar", built.path).stdout
    assert sidecar in shown
    assert f'"task_hash": "{built.hashes["Total"]}"' in shown
    Path(sidecar).write_text("nonsense")
    document = json.loads(built.call("show", "--sidecar", "--json", built.path).stdout)
    assert "error" in document["sidecars"][sidecar]
    Path(sidecar).unlink()
    assert "there is none" in built.call("show", "--sidecar", built.path).stdout


def test_show_as_json_names_who_made_the_inputs(built):
    document = json.loads(built.call("show", "--json", built.path).stdout)
    assert document["task_hash"] == built.hashes["Total"]
    (entry,) = document["inputs"]
    assert (entry["place"], entry["family"]) == ("numbers", "Numbers")
    assert entry["task_hash"] == built.hashes["Numbers"]


def test_show_tells_what_a_task_that_never_succeeded_would_read(project):
    project.write(
        "broken",
        "from flows import *\nclass Sad(Boom):\n    def requires(self): return Numbers()\n",
    )
    project.call("run", "broken.Sad")
    task = json.loads(project.call("tasks", "--family", "Sad", "--json").stdout)[0]
    result = project.call("show", task["task_hash"])
    assert "Sad" in result.stdout
    assert "failed" in result.stdout
    assert "from Numbers" in result.stdout
    assert "ValueError: no luck" in result.stdout


@pytest.mark.parametrize("command", ["show", "lineage", "runs", "who-made", "who-read", "history"])
def test_what_is_not_recorded_is_not_found(built, command):
    result = built.call(command, "nothing/of/the/kind.csv")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stdout == ""
    assert result.stderr.startswith("Error: Nothing is recorded under ")


def test_lineage_is_a_tree_towards_the_inputs(built):
    up = built.call("lineage", built.path).stdout
    assert up.splitlines()[0].startswith("Total ")
    assert "numbers: Numbers" in up
    down = built.call("lineage", "--down", built.hashes["Numbers"]).stdout
    assert down.splitlines()[0].startswith("Numbers ")
    assert "Total" in down.splitlines()[1]
    assert built.call("lineage", "--depth", "1", built.path).stdout == up


def test_lineage_is_drawn_for_other_tools(built):
    assert built.call("lineage", "--mermaid", built.path).stdout.startswith("flowchart LR\n")
    assert built.call("lineage", "--dot", built.path).stdout.startswith("digraph")
    document = json.loads(built.call("lineage", "--json", built.path).stdout)
    assert document["root"]["family"] == "Total"
    assert document["direction"] == "upstream"
    assert [task["family"] for task in document["tasks"]] == ["Numbers"]


@pytest.mark.parametrize("flags", [["--svg", "--targets"], ["--dot", "--json"]])
def test_lineage_refuses_two_answers_at_once(built, flags):
    assert built.call("lineage", *flags, built.path).exit_code == ExitCode.USAGE


def test_lineage_goes_both_ways_and_names_targets(built):
    both = built.call("lineage", "--up", "--down", built.path).stdout
    assert both.count("Total ") == 2
    numbers = json.loads(built.call("show", built.hashes["Numbers"], "--json").stdout)
    target = numbers["outputs"][0]
    told = built.call("lineage", "--targets", built.path).stdout.splitlines()[2]
    assert told.split() == [target["uri"], target["fingerprint"][:19]]
    assert built.call("lineage", "--svg", built.path).stdout.startswith("<svg ")


def test_lineage_of_an_earlier_day(built):
    now = built.call("lineage", "--as-of", "0s", built.path)
    assert now.stdout == built.call("lineage", built.path).stdout
    before = built.call("lineage", "--as-of", "1d", built.path)
    assert before.exit_code == ExitCode.NOT_FOUND
    assert "Its first one is of" in before.stderr
    assert built.call("lineage", "--as-of", "then", built.path).exit_code == ExitCode.USAGE


def test_who_made_a_copy_of_a_target_and_who_read_it(built):
    numbers = json.loads(built.call("show", built.hashes["Numbers"], "--json").stdout)
    (built.root / "copy.txt").write_bytes((built.root / numbers["outputs"][0]["uri"]).read_bytes())
    made = json.loads(built.call("who-made", "--json", "copy.txt").stdout)
    assert [run["task_hash"] for run in made] == [built.hashes["Numbers"]]
    assert f"Numbers {built.hashes['Numbers'][:8]}" in built.call("who-made", "copy.txt").stdout
    read = json.loads(built.call("who-read", "--json", "copy.txt").stdout)
    assert [run["task_hash"] for run in read] == [built.hashes["Total"]]
    assert built.call("who-read", built.path).stderr == "No run is recorded that consumed it.\n"
    (built.root / "copy.txt").write_text("another")
    unknown = built.call("who-made", "copy.txt")
    assert (unknown.exit_code, unknown.stdout) == (ExitCode.NOT_FOUND, "")
    assert "No run is recorded that made it" in unknown.stderr


def test_the_history_of_a_target_is_shown(built):
    numbers = json.loads(built.call("show", built.hashes["Numbers"], "--json").stdout)
    path = numbers["outputs"][0]["uri"]
    text = built.call("history", path).stdout
    assert text.startswith("*  ")
    assert f"made by Numbers {built.hashes['Numbers'][:8]}" in text
    assert text.endswith(f"read by Total {built.hashes['Total'][:8]}\n")
    (revision,) = json.loads(built.call("history", "--json", path).stdout)
    assert revision["read_by"][0]["place"] == "numbers"


def test_diff_names_the_first_cause_and_ends_like_diff(built):
    same = built.call("diff", built.path, built.hashes["Total"])
    assert (same.exit_code, same.stdout) == (0, "No difference.\n")
    built.call("run", "flows.Total", "--n", "5")
    other = json.loads(built.call("tasks", "--json", "--family", "Total").stdout)[0]["task_hash"]
    found = built.call("diff", built.path, other)
    assert found.exit_code == 1
    assert found.stdout.startswith("First cause: parameter n: 4 → 5, in Numbers ")
    assert "metadata rows: 4 → 5" in found.stdout
    document = json.loads(built.call("diff", "--json", built.path, other).stdout)
    assert document["first_cause"]["kind"] == "parameter"
    first, second = (
        build["build_id"] for build in json.loads(built.call("builds", "--json").stdout)
    )
    assert built.call("diff", second, first).stdout == found.stdout
    assert built.call("diff", first, other).exit_code == ExitCode.USAGE


def test_tasks_are_listed_and_filtered(built):
    assert len(built.call("tasks").stdout.splitlines()) == 2
    rows = json.loads(built.call("tasks", "--json", "--param", "n=4", "--family", "Total").stdout)
    assert [row["task_hash"] for row in rows] == [built.hashes["Total"]]
    assert built.call("tasks", "--status", "failed").stdout == ""
    assert built.call("tasks", "--search", "numb").stdout.startswith("fresh  ")
    limited = built.call("tasks", "--limit", "1")
    assert len(limited.stdout.splitlines()) == 1
    assert "--limit" in limited.stderr
    assert built.call("tasks", "--param", "n").exit_code == ExitCode.USAGE
    assert len(built.call("tasks", "--since", "2020-01-05").stdout.splitlines()) == 2
    assert built.call("tasks", "--since", "2999-01-05T08:00:00").stdout == ""
    assert built.call("tasks", "--since", "soon").exit_code == ExitCode.USAGE


def test_runs_and_builds_are_listed_newest_first(built):
    built.call("run", "--force", "flows.Total", "--n", "4")
    families = [row["family"] for row in json.loads(built.call("runs", "--json").stdout)]
    assert families == ["Total", "Total", "Numbers"]
    of_one = built.call("runs", built.hashes["Total"]).stdout.splitlines()
    assert len(of_one) == 2
    assert of_one[0].endswith("forced")
    builds = json.loads(built.call("builds", "--json").stdout)
    assert [build["counts"]["ran"] for build in builds] == [1, 2]
    assert "1 ran" in built.call("builds").stdout.splitlines()[0]
    of_build = built.call("runs", "--json", "--build", builds[0]["build_id"])
    assert len(json.loads(of_build.stdout)) == 1


def test_recorded_text_is_never_taken_for_anything_else(project):
    project.call("run", "flows.Label", "--text", HOSTILE)
    task = json.loads(project.call("tasks", "--json").stdout)[0]
    assert task["params"]["text"] == HOSTILE
    for command in (
        ["tasks"],
        ["runs"],
        ["builds"],
        ["show", task["task_hash"]],
        ["lineage", task["task_hash"]],
        ["lineage", "--mermaid", task["task_hash"]],
        ["lineage", "--dot", task["task_hash"]],
        ["lineage", "--svg", "--up", "--down", task["task_hash"]],
        ["history", f"data/label-{task['task_hash']}.txt"],
        ["who-made", f"data/label-{task['task_hash']}.txt"],
        ["show", "--json", task["task_hash"]],
    ):
        result = project.call(*command)
        assert result.exit_code == 0
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
    assert "text=[red]\\x1b[31m\\u202e\\nx" in project.call("show", task["task_hash"]).stdout


def test_texts_are_short():
    assert [size_text(n) for n in (None, 0, 999, 1000, 48212, 10**13)] == [
        "", "0 B", "999 B", "1.0 kB", "48.2 kB", "10.0 TB",
    ]  # fmt: skip
    assert [duration_text(s) for s in (None, 1.82, 75, 7300)] == [
        "",
        "1.8 s",
        "1 m 15 s",
        "2 h 01 m",
    ]
    assert moment_text("2026-01-05T08:12:31.123456Z") == "2026-01-05 08:12:31Z"
    assert (moment_text(None), moment_text("x")) == ("", "x")
    assert digest_text("sha256:" + "0123456789abcdef" * 4) == "sha256:0123456789abcdef…"
    assert (digest_text(None), digest_text("etag:1")) == ("", "etag:1")
