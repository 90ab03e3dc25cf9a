"""What the store refuses is said in words, and a refusal is never taken for a missing object."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import AccessDenied, BucketMissing, StoreUnavailable, TargetError
from superluigi.s3 import ClientSpec, ObjectStore
from tests.s3_server import BUCKET, Answer, FaultProxy

READS: dict[str, Callable[[ObjectStore, str], Any]] = {
    "head": lambda store, path: store.head(BUCKET, "key"),
    "head_many": lambda store, path: store.head_many([(BUCKET, "key"), (BUCKET, "other")]),
    "get_bytes": lambda store, path: store.get_bytes(BUCKET, "key"),
    "get_file": lambda store, path: store.get_file(BUCKET, "key", path),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_403_is_never_a_missing_object_and_names_both_meanings(
    s3_faults: FaultProxy, tmp_path: Path, read: Callable[[ObjectStore, str], Any]
) -> None:
    s3_faults.always(lambda answer: answer.refuse(403, "AccessDenied"), when=lambda _: True)

    with pytest.raises(
        AccessDenied, match=r"lack s3:GetObject.*s3:ListBucket.*does not say"
    ) as info:
        read(ObjectStore(), str(tmp_path / "copy"))

    assert isinstance(info.value, PermissionError)
    assert info.value.target in ("s3://lake/key", "s3://lake/other")
    assert info.value.__cause__ is not None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (400, "ExpiredToken", AccessDenied, "have expired"),
        (403, "InvalidAccessKeyId", AccessDenied, "does not accept the credentials"),
        (403, "SignatureDoesNotMatch", AccessDenied, "does not accept the credentials"),
        (403, "RequestTimeTooSkewed", AccessDenied, "clock is wrong"),
        (404, "NoSuchBucket", BucketMissing, "no bucket 'lake'"),
        (400, "AuthorizationHeaderMalformed", TargetError, "another region"),
        (403, "InvalidObjectState", TargetError, "archived"),
        (418, "Teapot", TargetError, "Teapot: because"),
    ],
)
def test_each_refusal_has_words_of_its_own(
    s3_faults: FaultProxy, status: int, code: str, kind: type[Exception], words: str
) -> None:
    s3_faults.always(lambda answer: answer.refuse(status, code), when=lambda _: True)

    with pytest.raises(kind, match=words):
        ObjectStore(ClientSpec(region="eu-west-1")).get_bytes(BUCKET, "key")


def test_a_look_that_is_refused_without_a_reason_names_the_usual_ones(
    s3_faults: FaultProxy,
) -> None:
    s3_faults.always(lambda answer: answer.refuse(400, ""), when=lambda _: True)

    with pytest.raises(TargetError, match=r"400.*expired session token.*customer's key"):
        ObjectStore().head(BUCKET, "key")


def test_a_look_with_an_expired_token_says_so(s3_faults: FaultProxy) -> None:
    s3_faults.always(
        lambda answer: answer.refuse(400, "" if answer.method == "HEAD" else "ExpiredToken"),
        when=lambda _: True,
    )
    with pytest.raises(AccessDenied, match="have expired"):
        ObjectStore().head(BUCKET, "key")


def test_an_endpoint_that_redirects_everything_is_said_to(s3_faults: FaultProxy) -> None:
    s3_faults.always(lambda answer: answer.refuse(301, "PermanentRedirect"), when=lambda _: True)
    with pytest.raises(TargetError, match=r"redirects each request.*AWS_ENDPOINT_URL_S3"):
        ObjectStore().head(BUCKET, "key")


def test_an_object_that_one_may_see_but_not_decrypt_exists(s3_faults: FaultProxy) -> None:
    store = ObjectStore()
    put = store.put_bytes(BUCKET, "key", b"data")

    def asks_for_checksums(answer: Answer) -> bool:
        return "x-amz-checksum-mode" in {name.lower() for name in answer.request_headers}

    s3_faults.always(lambda answer: answer.refuse(403, ""), when=asks_for_checksums)

    assert store.head(BUCKET, "key") == put


def test_a_refused_write_names_the_right_that_it_needs(s3_faults: FaultProxy) -> None:
    s3_faults.always(lambda answer: answer.refuse(403, "AccessDenied"), when=lambda _: True)

    with pytest.raises(AccessDenied, match=r"Writing 's3://lake/key'.*lack s3:PutObject"):
        ObjectStore().put_bytes(BUCKET, "key", b"")


def test_a_bucket_that_was_lost_meanwhile_is_a_missing_bucket(
    s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store = ObjectStore()
    store.put_bytes(BUCKET, "key", b"data")
    store.delete_many(BUCKET, ["key"])
    s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(BucketMissing, match="Create it"):
        store.head(BUCKET, "key")
    with pytest.raises(BucketMissing, match="Create it"):
        store.put_bytes(BUCKET, "key", b"data")


def test_a_store_that_is_not_there_is_unavailable_not_empty(s3_endpoint: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StoreUnavailable, match=r"no connection to the store.*endpoint"):
            ObjectStore(ClientSpec(endpoint_url=url)).head(BUCKET, "key")


def test_endless_refusals_to_serve_end_in_one_clear_error(s3_faults: FaultProxy) -> None:
    s3_faults.always(lambda answer: answer.refuse(500, "InternalError"), when=lambda _: True)

    with pytest.raises(StoreUnavailable, match=r"cannot serve now.*Try again later") as info:
        ObjectStore().head(BUCKET, "key")

    assert isinstance(info.value, ConnectionError)
    assert len(s3_faults.requests) == 8


def test_some_refusals_to_serve_are_passed_over(s3_faults: FaultProxy) -> None:
    store = ObjectStore()
    put = store.put_bytes(BUCKET, "key", b"data")
    s3_faults.times(4, lambda answer: answer.refuse(500, "InternalError"), when=lambda _: True)

    assert store.head(BUCKET, "key") == put


def test_without_credentials_the_error_says_how_to_give_some(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(AccessDenied, match="AWS_PROFILE"):
        ObjectStore().head(BUCKET, "key")
    with pytest.raises(AccessDenied, match=r"no-such-profile.*AWS_PROFILE"):
        ObjectStore(ClientSpec(profile="no-such-profile")).head(BUCKET, "key")
    with pytest.raises(AccessDenied, match="AWS_PROFILE"):
        ObjectStore(ClientSpec(role_arn="arn:aws:iam::1:role/reader")).head(BUCKET, "key")


def test_what_the_store_says_cannot_write_to_a_terminal(s3_faults: FaultProxy) -> None:
    s3_faults.always(
        lambda answer: answer.refuse(418, "Teapot", "a&#155;31m red\nline"), when=lambda _: True
    )

    with pytest.raises(TargetError) as info:
        ObjectStore().get_bytes(BUCKET, "key\x1b[31m")

    assert str(info.value).isprintable()


def test_errors_travel_between_processes(s3_faults: FaultProxy) -> None:
    s3_faults.always(lambda answer: answer.refuse(403, "AccessDenied"), when=lambda _: True)
    with pytest.raises(AccessDenied) as info:
        ObjectStore().head(BUCKET, "key")

    copy = pickle.loads(pickle.dumps(info.value))

    assert str(copy) == str(info.value)
    assert copy.target == "s3://lake/key"
