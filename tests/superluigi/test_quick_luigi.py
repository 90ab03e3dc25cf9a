"""What Luigi gets instead of the modules that few builds use. In processes of their own: pytest imports all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_HEAVY = "{'jsonschema', 'requests', 'tenacity'}"


def told(program: str, cwd: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_is_not_used_is_not_imported_and_what_is_works(tmp_path: Path) -> None:
    lines = told(
        f"""
import sys
import superluigi.tasks
import luigi
print(sorted({_HEAVY} & set(sys.modules)))
import requests
print(requests.get.__module__, luigi.rpc.requests.Session is requests.Session)
class Checked(luigi.Task):
    options = luigi.DictParameter(schema={{"type": "object", "required": ["size"]}})
Checked(options={{"size": 1}})
try:
    Checked(options={{}})
except Exception as error:
    print(type(error).__module__, type(error).__name__)
try:
    luigi.rpc.RemoteScheduler("http://127.0.0.1:9").ping()
except luigi.rpc.RPCError:
    print("refused")
print(type(luigi.__spec__.loader).__name__ == type(luigi.task.__spec__.loader).__name__)
""",
        tmp_path,
    )
    assert lines == [
        "[]",
        "requests.api True",
        "jsonschema.exceptions ValidationError",
        "refused",
        "True",
    ]


@pytest.mark.parametrize(
    ("first", "imported"),
    [
        ("import luigi, superluigi", "['jsonschema', 'requests', 'tenacity']"),
        ("import requests, superluigi, luigi", "['requests']"),
    ],
)
def test_what_was_imported_before_stays_as_it_is(first: str, imported: str, tmp_path: Path) -> None:
    lines = told(f"import sys\n{first}\nprint(sorted({_HEAVY} & set(sys.modules)))", tmp_path)
    assert lines == [imported]


def test_what_wraps_requests_gets_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "requests_unixsocket.py").write_text("from requests.adapters import HTTPAdapter\n")
    lines = told("import superluigi, luigi\nprint(luigi.rpc.HAS_UNIX_SOCKET)", tmp_path)
    assert lines == ["True"]
