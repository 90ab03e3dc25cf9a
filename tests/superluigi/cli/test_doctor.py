from __future__ import annotations

import json

import pytest

from superluigi.cli.errors import ExitCode
from superluigi_catalog.storage import driver


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


def _checks(project, *options):
    result = project.call("doctor", "--json", *options)
    document = json.loads(result.stdout)
    assert result.exit_code == (ExitCode.OK if document["ok"] else ExitCode.FAILED)
    return {check["name"]: check for check in document["checks"]}


def test_a_healthy_project_is_well(project):
    project.call("run", "flows.Total")
    checks = _checks(project)
    assert {check["status"] for check in checks.values()} <= {"ok", "warn"}
    assert checks["project"]["text"] == str(project.root)
    assert "2 tasks, 2 runs, 1 builds" in checks["catalog"]["text"]
    assert checks["luigi"]["text"].startswith("3.8.")


def test_the_report_has_a_line_for_each_check(project):
    result = project.call("doctor")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if line[0] != " "] == ["ok"] * 10
    assert "none yet, the first build makes it" in result.stdout


def test_looking_makes_nothing(project):
    project.call("doctor")
    assert not (project.root / ".superluigi").exists()


def test_settings_and_a_damaged_catalog_fail_with_advice(project):
    (project.root / "superluigi.toml").write_text("rerun_on = ['colour']\n")
    home = project.root / ".superluigi"
    home.mkdir()
    (home / "catalog.db").write_text("nothing of the kind" * 100)
    checks = _checks(project)
    assert checks["settings"]["status"] == "fail"
    assert "'colour'" in checks["settings"]["text"]
    assert checks["catalog"]["status"] == "fail"
    assert checks["catalog"]["advice"]


def test_a_luigi_cfg_that_is_not_read_is_found(project, monkeypatch):
    (project.root / "luigi.cfg").touch()
    assert _checks(project)["luigi.cfg"]["status"] == "ok"
    below = project.root / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    check = _checks(project)["luigi.cfg"]
    assert check["status"] == "warn"
    assert "LUIGI_CONFIG_PATH" in check["advice"]
    monkeypatch.setenv("LUIGI_CONFIG_PATH", "nowhere.cfg")
    assert _checks(project)["luigi.cfg"]["status"] == "warn"


def test_an_unsafe_sqlite_is_warned_of(project, monkeypatch):
    monkeypatch.setattr(driver.sqlite3, "sqlite_version_info", (3, 45, 0))
    check = _checks(project)["sqlite"]
    assert check["status"] == "warn"
    assert "pysqlite3" in check["advice"]


def test_modules_are_imported(project):
    project.write("broken", "1 / 0\n")
    project.write("empty", "")
    assert "Boom, Label, Missing" in _checks(project, "--module", "flows")["module"]["text"]
    assert _checks(project, "--module", "empty")["module"]["status"] == "warn"
    assert _checks(project, "--module", "absent")["module"]["status"] == "fail"
    broken = _checks(project, "--module", "broken")["module"]
    assert broken["status"] == "fail"
    assert 'broken.py", line 1' in broken["advice"]


def test_without_credentials_only_a_bucket_fails(project, monkeypatch):
    assert _checks(project)["s3 credentials"]["status"] == "ok"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert _checks(project)["s3 credentials"]["status"] == "fail"


def test_the_rights_on_a_bucket_are_tried_and_nothing_stays(project, s3, s3_endpoint):
    checks = _checks(project, "--bucket", "lake")
    rights = ("s3 bucket", "s3 list", "s3 write", "s3 read", "s3 delete", "s3 conditions")
    assert [checks[name]["status"] for name in rights] == ["ok"] * 6
    assert s3_endpoint in checks["s3 credentials"]["text"]
    assert "Contents" not in s3.list_objects_v2(Bucket="lake")


def test_a_store_that_ignores_conditions_is_warned_of(project, s3_faults):
    s3_faults.ignores_conditions = True
    check = _checks(project, "--bucket", "lake")["s3 conditions"]
    assert check["status"] == "warn"
    assert "one of them run at a time" in check["advice"]


def test_a_missing_bucket_and_a_missing_right_fail(project, s3_faults):
    missing = _checks(project, "--bucket", "no-such-bucket")
    assert missing["s3 bucket"]["status"] == "fail"
    assert "s3 write" not in missing
    assert _checks(project, "--bucket", "No/Bucket")["s3 bucket"]["status"] == "fail"
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"), when=lambda a: a.method == "DELETE"
    )
    checks = _checks(project, "--bucket", "lake")
    assert checks["s3 write"]["status"] == "ok"
    assert checks["s3 delete"]["status"] == "fail"
    assert "s3:DeleteObject" in checks["s3 delete"]["advice"]
    assert "stays: remove it" in checks["s3 delete"]["advice"]
