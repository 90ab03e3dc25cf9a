from __future__ import annotations

import json

import pytest

from superluigi.cli.errors import ExitCode

HELPERS = """
FACTOR = 2

def scaled(value):
    return value * FACTOR
"""
TASKS = """
from helpers import scaled
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask

class Amount(ExternalTask):
    def output(self):
        return LocalFileTarget("amount.txt")

class Scaled(AtomicTaskWithMetadata):
    def requires(self):
        return {"amount": Amount()}

    def output(self):
        return LocalFileTarget("scaled.txt")

    def run(self, input_path, output_path):
        with open(input_path["amount"]) as source, open(output_path, "w") as file:
            file.write(str(scaled(int(source.read()))))

class Sentence(AtomicTaskWithMetadata):
    def requires(self):
        return Scaled()

    def output(self):
        return LocalFileTarget("sentence.txt")

    def run(self, input_path, output_path):
        with open(input_path) as source, open(output_path, "w") as file:
            file.write("It is " + source.read())
"""


@pytest.fixture
def made(project):
    project.write("helpers", HELPERS)
    project.write("scaling", TASKS)
    (project.root / "amount.txt").write_text("21")
    assert project.call("run", "scaling.Sentence").exit_code == 0
    return project


def change_code(project):
    project.write("helpers", HELPERS.replace("2", "3"))


def why(project, ref, *options):
    result = project.call("why", "--json", *options, ref)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def steps(document, *states):
    return [(s["name"], s["state"]) for s in document["steps"] if s["state"] in states]


def test_what_is_up_to_date_is_checked_point_by_point(made):
    document = why(made, "sentence.txt")
    assert (document["action"], document["is_live"]) == ("skip", True)
    assert steps(document, "ok") == [
        ("output", "ok"),
        ("parameters", "ok"),
        ("code", "ok"),
        ("inputs", "ok"),
    ]
    assert document["causes"] == []
    text = made.call("why", "sentence.txt").stdout
    assert "would not run: it is up to date" in text
    assert "  1 ok      output      sentence.txt is as its run left it" in text


def test_changed_code_is_shown_with_its_place_and_difference(made):
    change_code(made)
    (step,) = [s for s in why(made, "scaled.txt")["steps"] if s["name"] == "code"]
    assert step["state"] == "noted"
    assert step["text"] == "helpers.FACTOR changed (helpers.py:2)"
    assert step["diff"].splitlines()[-2:] == ["-FACTOR = 2", "+FACTOR = 3"]
    above = why(made, "sentence.txt")
    assert steps(above, "noted") == [("upstream", "noted")]
    (made.root / "superluigi.toml").write_text('rerun_on = ["missing", "inputs", "code"]\n')
    assert ("code", "changed") in steps(why(made, "scaled.txt"), "changed")
    (cause,) = why(made, "sentence.txt")["causes"]
    assert (cause["family"], cause["text"][:12]) == ("Scaled", "code changed")


def test_a_changed_input_is_followed_to_where_it_began(made):
    (made.root / "amount.txt").write_text("22")
    document = why(made, "sentence.txt")
    assert document["action"] == "maybe"
    (cause,) = document["causes"]
    assert cause["family"] == "Scaled"
    assert cause["text"] == "amount: amount.txt changed since it was read"
    (step,) = [s for s in why(made, "scaled.txt")["steps"] if s["name"] == "input"]
    assert step["text"].startswith("amount: amount.txt changed since it was read: sha256:")
    assert step["details"]["from"] != step["details"]["to"]


def test_who_made_a_new_input_is_named(made):
    change_code(made)
    assert made.call("run", "--force", "scaling.Scaled").exit_code == 0
    (cause,) = why(made, "sentence.txt")["causes"]
    assert "Scaled" in cause["text"]
    assert cause["text"].endswith("because: forced")


@pytest.mark.parametrize(
    ("change", "name", "state"),
    [
        (lambda root: (root / "sentence.txt").unlink(), "output", "missing"),
        (lambda root: (root / "sentence.txt").write_text("by hand"), "output", "noted"),
    ],
    ids=["deleted", "edited"],
)
def test_an_output_that_is_not_as_it_was_left(made, change, name, state):
    change(made.root)
    assert (name, state) in steps(why(made, "sentence.txt"), state)


def test_the_records_alone_answer_where_the_code_is_gone(made):
    (made.root / "amount.txt").write_text("22")
    made.call("plan", "scaling.Sentence")
    (made.root / "scaling.py").unlink()
    result = made.call("why", "scaled.txt")
    assert result.exit_code == 0
    assert "cannot be looked at" in result.stderr
    assert "3 CHANGED input   amount: amount.txt: sha256:" in result.stdout
    assert "From the records alone" in result.stdout
    document = why(made, "sentence.txt", "--recorded")
    assert (document["action"], document["is_live"]) == ("maybe", False)
    assert document["causes"][0]["family"] == "Scaled"


def test_why_a_run_was_made_is_told_after_the_fact(made):
    change_code(made)
    made.call("run", "--rerun-on", "inputs,code", "scaling.Sentence")
    (newest, _) = json.loads(made.call("runs", "--json", "sentence.txt").stdout)
    document = why(made, newest["run_id"])
    assert document["action"] == "ran"
    assert document["steps"][0]["name"] == "input"
    (cause,) = document["causes"]
    assert (cause["family"], cause["text"][:12]) == ("Scaled", "code changed")


def test_an_accepted_result_is_not_run_again(made):
    change_code(made)
    (made.root / "amount.txt").write_text("21.0")
    options = ("--rerun-on", "inputs,code")
    assert made.call("plan", *options, "scaling.Sentence").exit_code == ExitCode.HAS_WORK
    result = made.call("accept", "scaled.txt", "--reason", "the same figure", "--yes", "--json")
    assert result.exit_code == 0, result.output
    (acceptance,) = json.loads(result.stdout)
    assert acceptance["reason"] == "the same figure"
    assert "code changed: helpers.FACTOR" in result.stderr
    assert made.call("plan", *options, "scaling.Sentence").exit_code == 0
    sidecar = json.loads((made.root / "scaled.txt.metadata.json").read_text())
    assert sidecar["acceptance"]["run_id"] == acceptance["run_id"]
    assert made.call("accept", "--undo", "scaled.txt").exit_code == 0
    assert made.call("plan", *options, "scaling.Sentence").exit_code == ExitCode.HAS_WORK
    assert "acceptance" not in (made.root / "scaled.txt.metadata.json").read_text()


def test_what_lies_downstream_is_accepted_with_it(made):
    change_code(made)
    made.call("run", "--force", "scaling.Scaled")
    result = made.call("accept", "--downstream", "scaled.txt", "-m", "checked", "--yes")
    assert "Accepted: sentence.txt" in result.stderr
    assert made.call("plan", "scaling.Sentence").exit_code == 0
    assert made.call("accept", "--undo", "--downstream", "amount.txt").exit_code != 0


def test_nothing_is_accepted_without_a_reason_a_person_and_something_stale(made):
    without = made.call("accept", "scaled.txt")
    assert (without.exit_code, "--reason TEXT" in without.stderr) == (ExitCode.USAGE, True)
    fresh = made.call("accept", "scaled.txt", "-m", "why")
    assert (fresh.exit_code, "nothing to accept" in fresh.stderr) == (0, True)
    change_code(made)
    unasked = made.call("accept", "scaled.txt", "-m", "why")
    assert (unasked.exit_code, "add --yes" in unasked.stderr) == (ExitCode.USAGE, True)
    undone = made.call("accept", "--undo", "scaled.txt")
    assert (undone.exit_code, "was not accepted" in undone.stderr) == (ExitCode.REFUSED, True)


def test_an_acceptance_comes_back_with_a_deleted_sidecar(made):
    change_code(made)
    made.call("accept", "scaled.txt", "-m", "checked", "--yes")
    sidecar = made.root / "scaled.txt.metadata.json"
    before = json.loads(sidecar.read_text())
    sidecar.unlink()
    made.call("run", "scaling.Sentence")
    after = json.loads(sidecar.read_text())
    assert after["acceptance"] == before["acceptance"]
    assert (after["run_id"], after["started_at"]) == (before["run_id"], before["started_at"])


def test_neither_makes_a_catalog(project):
    for command in (["why", "x.txt"], ["accept", "x.txt", "-m", "why"]):
        result = project.call(*command)
        assert result.exit_code == ExitCode.NOT_FOUND
    assert not (project.root / ".superluigi").exists()


def test_only_what_stands_at_the_tasks_place_now_is_accepted(made):
    moved = TASKS.replace('LocalFileTarget("scaled.txt")', 'LocalFileTarget("elsewhere.txt")')
    made.write("scaling", moved)
    result = made.call("accept", "scaled.txt", "-m", "checked", "--yes")
    assert result.exit_code == ExitCode.REFUSED
    assert "'elsewhere.txt' of Scaled" in result.stderr
    assert "acceptance" not in (made.root / "scaled.txt.metadata.json").read_text()


def test_several_acceptances_are_taken_back_together_or_not_at_all(made):
    change_code(made)
    made.call("accept", "scaled.txt", "-m", "checked", "--yes")
    result = made.call("accept", "--undo", "scaled.txt", "sentence.txt")
    assert result.exit_code == ExitCode.REFUSED
    (newest, _) = json.loads(made.call("runs", "--json", "scaled.txt").stdout)
    assert newest["status"] == "accepted"
    assert "acceptance" in (made.root / "scaled.txt.metadata.json").read_text()
