"""S3 for the tests: moto's server over HTTP, and a proxy before it that can be told to misbehave.

`tests/conftest.py` brings the fixtures to every test.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from superluigi.s3 import capabilities

BUCKET = "lake"

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
_KEEPS_CONDITIONS = capabilities.Capabilities(if_none_match=True, if_match=True)
_UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of an S3 server of this test run's own."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from moto.server import ThreadedMotoServer

    from superluigi.s3.client import close_clients

    # Otherwise the body of each answer waits 40 ms for the headers' acknowledgement.
    MotoRequestHandler.disable_nagle_algorithm = True
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        close_clients()
        server.stop()
        assert server._server is not None
        server._server.server_close()


@pytest.fixture
def s3_endpoint(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An S3 without any bucket, to which the AWS environment variables point."""
    # Tests that count requests do not count the probe; those of the probe forget this.
    monkeypatch.setattr(capabilities, "_known", {s3_server: _KEEPS_CONDITIONS})
    # botocore's pauses between its tries add up to several seconds.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in _CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    request = urllib.request.Request(f"{s3_server}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request):
        pass
    return s3_server


@pytest.fixture
def s3(s3_endpoint: str) -> Any:
    """A plain boto3 client, with the bucket `lake`: what other people do to the store."""
    from superluigi.s3.client import ClientSpec, client_for

    client = client_for(ClientSpec())
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="session")
def s3_proxy(s3_server: str) -> Iterator[FaultProxy]:
    """The proxy that `s3_faults` hands out."""
    with fault_proxy(s3_server) as proxy:
        yield proxy


@pytest.fixture
def s3_faults(s3: Any, s3_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> FaultProxy:
    """The same S3 behind a proxy without faults yet, to which the environment variables point now."""
    s3_proxy.reset()
    capabilities._known[s3_proxy.url] = _KEEPS_CONDITIONS
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_proxy.url)
    return s3_proxy


def fill_bucket(keys: Iterable[str], data: bytes = b"") -> None:
    """Put many objects into the server in no time: it runs in this process."""
    from moto.backends import get_backend

    backend = get_backend("s3")["123456789012"]["aws"]
    for key in keys:
        backend.put_object(BUCKET, key, data)


@dataclass
class Answer:
    """An answer on its way to the client: what a fault changes."""

    method: str
    path: str
    """With the query string, still percent-encoded."""
    request_headers: dict[str, str]
    status: int
    headers: dict[str, str]
    body: bytes
    cut_after: int | None = None
    """Bytes of the body after which the connection is closed."""

    @property
    def is_object_read(self) -> bool:
        """Whether it answers a GET of an object."""
        return self.method == "GET" and self.path.count("/") >= 2 and "list-type" not in self.path

    def refuse(self, status: int, code: str, message: str = "because") -> None:
        """Answer with an error of S3's instead."""
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        self.status, self.body = status, b"" if self.method == "HEAD" else body
        self.headers = {"content-type": "application/xml", "content-length": str(len(self.body))}

    def flip(self, position: int) -> None:
        """Change one byte of the body."""
        self.body = (
            self.body[:position] + bytes([self.body[position] ^ 0x40]) + self.body[position + 1 :]
        )


Fault = Callable[[Answer], None]


@dataclass
class FaultProxy:
    """A keep-alive HTTP proxy; `faults` change each answer in turn."""

    url: str = ""
    upstream: str = ""
    faults: list[Fault] = field(default_factory=list)
    before: list[Callable[[str, str], None]] = field(default_factory=list)
    """Called with method and path before a request is passed on."""
    requests: list[str] = field(default_factory=list)
    """`GET /lake/key`, in their order."""
    ignores_conditions: bool = False
    """Whether it writes whatever `If-Match` and `If-None-Match` say, as several stores do."""

    def reset(self) -> None:
        """Forget faults and requests."""
        self.faults, self.before, self.requests = [], [], []
        self.ignores_conditions = False

    def times(self, count: int, fault: Fault, *, when: Callable[[Answer], bool]) -> None:
        """Apply a fault to the first `count` answers for which `when` holds."""
        left = count

        def limited(answer: Answer) -> None:
            nonlocal left
            if left > 0 and when(answer):
                left -= 1
                fault(answer)

        self.faults.append(limited)

    def always(self, fault: Fault, *, when: Callable[[Answer], bool]) -> None:
        """Apply a fault to all answers for which `when` holds."""
        self.times(1_000_000, fault, when=when)


@contextlib.contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy before the store at `upstream`."""
    proxy = FaultProxy(upstream=upstream)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 20

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        self.proxy.requests.append(f"{self.command} {self.path.partition('?')[0]}")
        for callback in list(self.proxy.before):
            callback(self.command, self.path)
        answer = self._ask_upstream(body)
        for fault in list(self.proxy.faults):
            fault(answer)
        self._send(answer)

    def _ask_upstream(self, body: bytes) -> Answer:
        place = urlsplit(self.proxy.upstream)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
        dropped = {"expect"}
        if self.proxy.ignores_conditions and self.command in ("PUT", "POST"):
            dropped |= {"if-match", "if-none-match"}
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in dropped
        }
        try:
            connection.request(self.command, self.path, body=body, headers=headers)
            response = connection.getresponse()
            received = response.read()
        finally:
            connection.close()
        kept = {
            name.lower(): value
            for name, value in response.getheaders()
            if name.lower() not in ("connection", "transfer-encoding", "date", "server")
        }
        kept.setdefault("content-length", str(len(received)))
        return Answer(self.command, self.path, dict(self.headers), response.status, kept, received)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.cut_after is None:
            self.wfile.write(answer.body)
            return
        self.wfile.write(answer.body[: answer.cut_after])
        self.close_connection = True
