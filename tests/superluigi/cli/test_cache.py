"""`superluigi cache`: what the local copies take, and getting rid of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from superluigi.cli.errors import ExitCode
from superluigi.targets import S3ObjectTarget
from tests.s3_server import BUCKET


def test_copies_are_counted_checked_and_cleared(project: Any, s3: Any) -> None:
    for key in ("a", "b"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode() * 1000)
        path = S3ObjectTarget(BUCKET, key).download()

    assert "verify" in project.call("cache").stdout
    shown = project.call("cache", "info").stdout
    assert "2 copies, 2.0 kB (at most 53.7 GB); 0 in use" in shown
    document = json.loads(project.call("cache", "info", "--json").stdout)
    assert (document["copies"], document["size_bytes"]) == (2, 2000)

    checked = project.call("cache", "verify")
    assert (checked.exit_code, checked.stderr) == (0, "2 copies read, 0 damaged\n")
    Path(path).chmod(0o644)
    Path(path).write_bytes(b"?" * 1000)
    checked = project.call("cache", "verify", "--json")
    assert checked.exit_code == ExitCode.FAILED
    assert len(json.loads(checked.stdout)["damaged"]) == 1

    assert project.call("cache", "clear", "--yes").stderr == "1.0 kB freed\n"
    assert project.call("cache", "info").stdout.splitlines()[1].startswith("0 copies")
