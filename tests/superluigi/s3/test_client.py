"""One client per process and kind of access; a forked child never uses its parent's."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.utils import parse_timestamp

from superluigi.s3 import ClientSpec, ObjectStore, client_for
from superluigi.s3 import client as client_module
from superluigi.s3.client import _timestamp, close_clients, store_identity
from tests.s3_server import BUCKET, Answer, FaultProxy

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def own_clients(s3_endpoint: str) -> Iterator[None]:
    yield
    close_clients()


def run_python(script: str, *arguments: str) -> str:
    """Run a script in a Python of its own, in which nothing is imported yet."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "catalog")])
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_thousand_stores_share_one_client(s3_endpoint: str) -> None:
    clients = {id(client_for(ObjectStore(ClientSpec()).spec)) for _ in range(1_000)}
    assert len(clients) == 1
    assert client_for(ClientSpec(region="eu-west-1")) is not client_for(ClientSpec())


def test_threads_that_come_at_once_get_one_client(s3_endpoint: str) -> None:
    found: list[Any] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(client_for(ClientSpec()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(client) for client in found}) == 1


def test_another_environment_leads_to_another_client(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client_for(ClientSpec())
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1/")
    second = client_for(ClientSpec())

    assert store_identity(first) == s3_endpoint
    assert store_identity(second) == "http://127.0.0.1:1"


def test_amazon_is_one_store_whatever_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    assert ObjectStore(ClientSpec(region="eu-west-1")).identity == "aws"
    assert ObjectStore(ClientSpec(region="us-east-1")).identity == "aws"
    assert ObjectStore(ClientSpec(region="cn-north-1")).identity == "aws-cn"


def test_another_store_gets_paths_and_no_unasked_checksums(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = client_for(ClientSpec()).meta.config
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    amazon = client_for(ClientSpec()).meta.config

    assert other.s3["addressing_style"] == "path"
    assert other.request_checksum_calculation == "when_required"
    assert amazon.request_checksum_calculation == "when_supported"
    assert amazon.retries["mode"] == "standard"
    assert amazon.max_pool_connections == 32
    virtual = ClientSpec(endpoint_url="https://oss.example", addressing_style="virtual")
    assert client_for(virtual).meta.config.s3["addressing_style"] == "virtual"


def test_a_spec_is_a_small_value() -> None:
    spec = ClientSpec(profile="lab", endpoint_url="http://127.0.0.1:9000")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert {spec, ClientSpec(profile="lab", endpoint_url="http://127.0.0.1:9000")} == {spec}


def test_importing_the_package_loads_no_boto3() -> None:
    run_python(
        "import sys, superluigi.s3 as s3\n"
        "s3.ObjectStore(), s3.ClientSpec(), s3.Cache('unused')\n"
        "assert not {'boto3', 'botocore', 'urllib3', 's3transfer'} & set(sys.modules)\n"
    )


FORKS = """
import os, sys
from superluigi.s3 import ClientSpec, ObjectStore, client_for

store = ObjectStore()
for i in range(20):
    store.put_bytes("lake", f"key{i}", b"%d" % i * 1_000)
assert store.get_bytes("lake", "key0")[0]  # a warm connection

def read_all(offset):
    for round in range(25):
        i = (round * 7 + offset) % 20
        answer = client_for(ClientSpec()).get_object(Bucket="lake", Key=f"key{i}")
        assert answer["Body"].read() == b"%d" % i * 1_000, i

start, go = os.pipe()
children = []
for offset in range(4):
    child = os.fork()
    if not child:
        os.close(go)
        os.read(start, 1)  # all at once, when the parent closes its end
        try:
            read_all(offset)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    children.append(child)
os.close(go)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert codes == [0, 0, 0, 0], codes
assert store.get_bytes("lake", "key1")[0] == b"1" * 1_000
"""


def test_children_forked_from_a_warm_client_read_right_bytes(s3_faults: FaultProxy) -> None:
    run_python(FORKS)
    assert s3_faults.requests.count(f"GET /{BUCKET}/key3") > 4


def test_a_child_forked_while_another_thread_makes_a_client_makes_its_own(
    s3_endpoint: str,
) -> None:
    run_python(
        "import os\n"
        "from superluigi.s3 import client, ClientSpec\n"
        "client._lock.acquire()\n"  # as a thread of the parent might hold it
        "child = os.fork()\n"
        "if not child:\n"
        "    client.client_for(ClientSpec())\n"
        "    os._exit(0)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
    )


def test_a_role_is_assumed_once_and_again_before_it_expires(
    s3: Any, s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", s3_faults.url)
    spec = ClientSpec(role_arn="arn:aws:iam::123456789012:role/reader")
    store = ObjectStore(spec)

    store.put_bytes(BUCKET, "key", b"data")
    assert store.get_bytes(BUCKET, "key")[0] == b"data"

    assert s3_faults.requests.count("POST /") == 1
    credentials = client_for(spec)._request_signer._credentials
    assert credentials.method == "assume-role"
    first = credentials.get_frozen_credentials().token
    assert first

    client_module._assumed_roles.clear()
    credentials._expiry_time = datetime.now(timezone.utc) + timedelta(minutes=1)
    assert store.get_bytes(BUCKET, "key")[0] == b"data"
    assert s3_faults.requests.count("POST /") == 2
    assert credentials.get_frozen_credentials().token != first


@pytest.mark.parametrize(
    "text", ["2026-01-05T08:12:31.000Z", "2026-01-05T08:12:31Z", "Mon, 05 Jan 2026 08:12:31 GMT"]
)
def test_moments_are_read_as_botocore_reads_them(text: str) -> None:
    assert _timestamp(text) == parse_timestamp(text)
    assert _timestamp(text).utcoffset() == timedelta(0)


def test_a_forked_child_makes_its_client_from_the_session_that_is_there(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = client_for(ClientSpec())
    monkeypatch.setattr("superluigi.s3.client._new_session", None)  # which takes 0.1 s each time
    child = os.fork()
    if not child:
        own = client_for(ClientSpec())
        own.list_buckets()
        os._exit(0 if own is not parent and own._endpoint is not parent._endpoint else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_options_for_every_request_go_where_they_are_known(
    s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    spec = ClientSpec(requester_pays=True, sse="aws:kms", sse_kms_key_id="key-1")
    store = ObjectStore(spec)
    sent: dict[str, dict[str, str]] = {}

    def note(answer: Answer) -> None:
        headers = {name.lower(): value for name, value in answer.request_headers.items()}
        sent[f"{answer.method} {answer.path.partition('?')[0]}"] = headers

    s3_faults.always(note, when=lambda _: True)
    store.put_bytes("lake", "key", b"data")
    store.copy("lake", "key", "lake", "copy")
    assert store.get_bytes("lake", "key")[0] == b"data"
    list(store.list_objects("lake"))

    for written in ("PUT /lake/key", "PUT /lake/copy"):
        assert sent[written]["x-amz-server-side-encryption"] == "aws:kms"
        assert sent[written]["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
    assert all(headers["x-amz-request-payer"] == "requester" for headers in sent.values())
    assert "x-amz-server-side-encryption" not in sent["GET /lake/key"]
    assert not store.head("lake", "key").etag_is_md5


@pytest.mark.parametrize(
    ("options", "why"),
    [({"sse": "rot13"}, "none of AES256"), ({"sse_kms_key_id": "k"}, "give sse='aws:kms' too")],
)
def test_an_encryption_that_cannot_be_is_refused(options: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ClientSpec(**options)
