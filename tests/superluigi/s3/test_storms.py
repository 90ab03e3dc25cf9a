"""Refusals, lost answers and many writers at once: success within bounds, or one clear error."""

from __future__ import annotations

import functools
import multiprocessing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from superluigi.errors import AccessDenied, ObjectChanged
from superluigi.s3 import ObjectStore, patience
from tests.s3_server import BUCKET, FaultProxy


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


def test_a_storm_of_refusals_and_resets_is_passed_over(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    s3_faults.times(6, lambda answer: answer.refuse(503, "SlowDown"), when=lambda _: True)

    put = store.put_file(BUCKET, "key", str(tmp_path / "file"))
    assert len(s3_faults.requests) == 7
    left = 4

    def reset(method: str, _: str) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise ConnectionResetError

    s3_faults.before.append(reset)
    s3_faults.requests.clear()

    got = store.get_file(BUCKET, "key", str(tmp_path / "got"))

    assert (got.stat, got.sha256) == (put, put.sha256)
    assert len(s3_faults.requests) == 5


@pytest.mark.parametrize(
    ("status", "code", "count"), [(503, "SlowDown", 15), (429, "TooManyRequests", 15), (500, "", 4)]
)
@pytest.mark.parametrize("method", ["HEAD", "GET", "PUT"])
def test_a_store_that_is_busy_for_long_is_waited_for(
    store: ObjectStore, s3_faults: FaultProxy, method: str, status: int, code: str, count: int
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    s3_faults.requests.clear()
    s3_faults.times(
        count,
        lambda a: a.refuse(status, code or "InternalError"),
        when=lambda a: a.method == method,
    )

    if method == "HEAD":
        assert store.head(BUCKET, "key") is not None
    elif method == "GET":
        assert store.get_bytes(BUCKET, "key")[0] == b"data"
    else:
        store.put_bytes(BUCKET, "key", b"new")

    assert len(s3_faults.requests) == count + 1


def test_many_requests_that_are_refused_together_all_succeed_in_the_end(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    """botocore's own tries are counted for the whole client, and end for all when many are refused."""
    store.put_bytes(BUCKET, "key", b"data")
    s3_faults.times(250, lambda a: a.refuse(503, "SlowDown"), when=lambda a: a.method == "HEAD")

    found = store.head_many([(BUCKET, "key")] * 200)

    assert None not in found


def test_the_pauses_before_a_busy_store_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = (SimpleNamespace(status_code=503), {})
    ask = functools.partial(
        patience._pause_before_next, operation=SimpleNamespace(name="GetObject"), response=answer
    )
    monkeypatch.setattr(patience.random, "uniform", lambda _, most: most)
    pauses = [ask(attempts=attempts) for attempts in range(1, 18)]

    assert pauses[-2:] == [None, None]
    assert 60 < sum(pause or 0 for pause in pauses) < 200
    assert max(pause or 0 for pause in pauses) == 15
    assert patience._pause_before_next(attempts=1, operation=None, response=None) is None


def test_a_token_that_expires_on_the_way_is_said_and_nothing_is_guessed(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    s3_faults.always(
        lambda answer: answer.refuse(400, "ExpiredToken", "The provided token has expired."),
        when=lambda _: True,
    )
    for ask in (
        lambda: store.get_bytes(BUCKET, "key"),
        lambda: store.get_file(BUCKET, "key", str(tmp_path / "got")),
        lambda: store.put_bytes(BUCKET, "key", b"new"),
        lambda: list(store.list_objects(BUCKET)),
    ):
        with pytest.raises(AccessDenied, match="Log in again"):
            ask()
    assert list(tmp_path.iterdir()) == []


def _write_first(number: int, results: Any) -> None:
    try:
        ObjectStore().put_bytes(BUCKET, "first", b"%d" % number, if_none_match=True)
    except ObjectChanged:
        results.put(None)
    else:
        results.put(number)


@pytest.mark.faults
def test_of_sixteen_processes_that_write_first_one_wins(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(5):
        results = context.Queue()
        writers = [
            context.Process(target=_write_first, args=(number, results)) for number in range(16)
        ]
        for writer in writers:
            writer.start()
        won = [
            number for number in (results.get(timeout=60) for _ in writers) if number is not None
        ]
        for writer in writers:
            writer.join()
        assert len(won) == 1, turn
        assert store.get_bytes(BUCKET, "first")[0] == b"%d" % won[0]
        store.delete_many(BUCKET, ["first"])


def _count_up(results: Any, turns: int) -> None:
    store, refused = ObjectStore(), 0
    for _ in range(turns):
        while True:
            data, stat = store.get_bytes(BUCKET, "counter")
            try:
                store.put_bytes(BUCKET, "counter", b"%d" % (int(data) + 1), if_match=stat.etag)
            except ObjectChanged:
                refused += 1
            else:
                break
    results.put(refused)


@pytest.mark.faults
def test_no_write_is_lost_between_processes_that_read_and_replace(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    store.put_bytes(BUCKET, "counter", b"0")
    # Lost answers on the way: each may be of a write that was applied.
    s3_faults.times(
        8,
        lambda answer: setattr(answer, "cut_after", 0),
        when=lambda answer: answer.method == "PUT" and answer.status == 200,
    )
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    writers = [context.Process(target=_count_up, args=(results, 20)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for _ in writers:
        results.get(timeout=100)
    for writer in writers:
        writer.join()
    assert store.get_bytes(BUCKET, "counter")[0] == b"160"
