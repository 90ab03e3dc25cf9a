"""A build into S3 that is killed at any request: the next build makes everything right and leaves nothing."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.s3 import ClientSpec, client_for
from superluigi_catalog import Catalog
from tests import s3_flows
from tests.flows import ran
from tests.s3_server import BUCKET, FaultProxy

KILLED = 9


@pytest.fixture(autouse=True)
def _source(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"hello")


def stored(s3: Any) -> dict[str, bytes]:
    rows = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {
        row["Key"]: s3.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read()
        for row in rows
        if not row["Key"].endswith(".metadata.json")
    }


def built_and_killed(at: int, moment: str) -> bool:
    """Whether a build in a child was killed before it ended.

    Args:
        moment: `before-send`: the request never left; `response-received`: the store has carried it out.
    """
    child = os.fork()
    if not child:
        left = at

        def count(**_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(KILLED)

        client_for(ClientSpec()).meta.events.register(f"{moment}.s3", count)
        try:
            run_task(s3_flows.S3Report(), progress=False)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def expected(text: str) -> dict[str, bytes]:
    first = text[:1].encode()
    return {
        "source.txt": text.encode(),
        "raw/raw.txt": text.encode(),
        "clean/first.txt": first,
        "clean/sub/second.txt": first * 2,
        f"report/{s3_flows.S3Report().task_id}.txt": first + text.encode(),
    }


@pytest.mark.parametrize("moment", ["before-send", "response-received"])
@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.faults)])
def test_the_next_build_makes_it_right(
    s3: Any, s3_faults: FaultProxy, moment: str, every: int
) -> None:
    run_task(s3_flows.S3Report(), progress=False)
    assert stored(s3) == expected("hello")
    at = every
    for turn in itertools.count():
        text = ["jello", "hello"][turn % 2]
        s3.put_object(Bucket=BUCKET, Key="source.txt", Body=text.encode())
        if turn % 3 == 0:
            shutil.rmtree(".superluigi/cache")
        was_killed = built_and_killed(at, moment)

        result = run_task(s3_flows.S3Report(), progress=False)

        assert result.ok
        assert stored(s3) == expected(text), at
        assert list(Path(".superluigi/tmp").iterdir()) == []
        ran()
        run_task(s3_flows.S3Report(), progress=False)
        assert ran() == []
        with Catalog() as catalog:
            assert {task.status for task in catalog.tasks()} == {"fresh"}
        if not was_killed:
            break
        at += every
    assert at > 18
