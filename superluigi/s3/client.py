"""One boto3 client per process and kind of access, made when it is first needed.

A client that is inherited across `fork` shares its sockets with the parent, and then returns another
process's bytes without any error; so a child makes its own. A client costs 3 to 100 ms and up to 13 MB,
so a thousand targets share one.

Source: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from superluigi.s3.patience import be_patient

__all__ = ["POOL_CONNECTIONS", "ClientSpec", "client_for", "close_clients", "store_identity"]

POOL_CONNECTIONS = 32
"""Connections that one client keeps, and so the most threads that are worth using on it."""

_ATTEMPTS = 8
_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 60

_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_SHARED_CREDENTIALS_FILE",
)


_ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")


@dataclass(frozen=True, slots=True)
class ClientSpec:
    """Which account, through which endpoint: what targets hold instead of a client.

    What is None comes from boto3's own chain (environment, profile, instance), when the first request
    is made, in the process that makes it.
    """

    profile: str | None = None
    """A profile of the AWS config files."""
    role_arn: str | None = None
    """A role to assume, and to assume again before it expires."""
    region: str | None = None
    endpoint_url: str | None = None
    """Another S3 than Amazon's, such as `http://127.0.0.1:9000`."""
    addressing_style: str | None = None
    """`path` or `virtual`; by default `path` for another S3 than Amazon's."""
    requester_pays: bool = False
    """Whether this account pays for the requests, where the bucket asks for it."""
    sse: str | None = None
    """How the store is to encrypt what is written: `AES256`, `aws:kms` or `aws:kms:dsse`; by default as
    the bucket says."""
    sse_kms_key_id: str | None = None
    """The key of the key management, with `aws:kms`."""

    def __post_init__(self) -> None:
        if self.sse is not None and self.sse not in _ENCRYPTIONS:
            message = f"sse = {self.sse!r} is none of {', '.join(_ENCRYPTIONS)}."
            raise ValueError(message)
        if self.sse_kms_key_id and not (self.sse or "").startswith("aws:kms"):
            message = "sse_kms_key_id names a key of the key management: give sse='aws:kms' too."
            raise ValueError(message)


@dataclass(slots=True)
class _Session:
    """What clients are made from."""

    boto3: Any
    is_amazon: bool
    """Whether the requests go to Amazon, as far as is known."""


_lock = threading.Lock()
_clients: dict[tuple[int, ClientSpec, tuple[str | None, ...]], Any] = {}
_inherited: list[Any] = []
# A session holds no connection, and takes most of a client's time: a child goes on with it.
_sessions: dict[tuple[ClientSpec, tuple[str | None, ...]], _Session] = {}
# Plain dicts of botocore's, so that a forked child need not assume the role again. In memory only.
_assumed_roles: dict[str, Any] = {}


def client_for(spec: ClientSpec) -> Any:
    """The process's S3 client for `spec`; the same one for every thread.

    A change of the AWS environment variables is seen: it leads to another client.

    Raises:
        botocore.exceptions.ProfileNotFound: the profile is in no config file.
    """
    key = (os.getpid(), spec, tuple(map(os.environ.get, _ENVIRONMENT)))
    client = _clients.get(key)
    if client is None:
        # A botocore session is not safe in threads, so one thread at a time makes clients.
        with _lock:
            client = _clients.get(key)
            if client is None:
                session = _sessions.get(key[1:])
                if session is None:
                    session = _sessions[key[1:]] = _new_session(spec)
                client = _clients[key] = _new_client(session, spec)
    return client


def close_clients() -> None:
    """Close the connections of this process's clients; the next request makes new ones."""
    with _lock:
        clients = list(_clients.values())
        _clients.clear()
    for client in clients:
        client.close()


def store_identity(client: Any) -> str:
    """Which store a client talks to, as one word: bucket names are unique within it."""
    endpoint = str(client.meta.endpoint_url)
    return str(client.meta.partition) if _is_amazon(endpoint) else endpoint.rstrip("/")


def _forget_inherited_clients() -> None:
    global _lock
    if _lock.locked():
        # Another thread of the parent held it, and was at work on a session.
        _sessions.clear()
    _lock = threading.Lock()
    for session in _sessions.values():
        credentials = session.boto3._session._credentials
        if hasattr(credentials, "_refresh_lock"):
            credentials._refresh_lock = threading.Lock()  # likewise
    # Kept, never used: closing them takes locks that a thread of the parent may have held.
    _inherited.extend(_clients.values())
    _clients.clear()


os.register_at_fork(after_in_child=_forget_inherited_clients)


def _new_session(spec: ClientSpec) -> _Session:
    import boto3
    import botocore.session

    core = botocore.session.Session(profile=spec.profile)
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    if spec.role_arn is not None:
        _assume(core, spec.role_arn)
    session = boto3.Session(botocore_session=core, region_name=spec.region)
    return _Session(session, is_amazon=spec.endpoint_url is None)


def _timestamp(value: Any) -> datetime:
    """A moment as listings write it, in a tenth of the time that botocore takes; else as botocore reads it."""
    if isinstance(value, str) and value.endswith("Z"):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(f"{value[:-1]}+00:00")
    from botocore.utils import parse_timestamp

    found: datetime = parse_timestamp(value)
    return found


def _new_client(session: _Session, spec: ClientSpec) -> Any:
    config = _config(spec, amazon=session.is_amazon)
    client = session.boto3.client("s3", endpoint_url=spec.endpoint_url, config=config)
    if session.is_amazon and not _is_amazon(str(client.meta.endpoint_url)):
        # The endpoint came from the environment or a profile: known only now.
        session.is_amazon = False
        client.close()
        return _new_client(session, spec)
    _ask_as_specified(client, spec)
    be_patient(client)
    return client


def _ask_as_specified(client: Any, spec: ClientSpec) -> None:
    """Add the options that hold for every request to those requests that know them."""
    options = {
        "RequestPayer": "requester" if spec.requester_pays else None,
        "ServerSideEncryption": spec.sse,
        "SSEKMSKeyId": spec.sse_kms_key_id,
    }
    given = {name: value for name, value in options.items() if value is not None}

    def add(params: dict[str, Any], model: Any, **_: Any) -> None:
        known = model.input_shape.members
        for name, value in given.items():
            if name in known:
                params.setdefault(name, value)

    if given:
        client.meta.events.register("provide-client-params.s3", add)


def _config(spec: ClientSpec, *, amazon: bool) -> Any:
    from botocore.config import Config

    options: dict[str, Any] = {}
    if spec.addressing_style or not amazon:
        options["s3"] = {"addressing_style": spec.addressing_style or "path"}
    if not amazon:
        # Several S3-compatible stores refuse the checksums that boto3 adds of its own accord.
        options["request_checksum_calculation"] = "when_required"
    return Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=POOL_CONNECTIONS,
        tcp_keepalive=True,
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        user_agent_extra="super-luigi",
        # Whole files are verified here; botocore fails on a 304 that carries a checksum.
        # Source: https://github.com/boto/boto3/issues/4765
        response_checksum_validation="when_required",
        **options,
    )


def _assume(core: Any, role_arn: str) -> None:
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
    from botocore.exceptions import NoCredentialsError

    source = core.get_credentials()
    if source is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(
        core.create_client,
        source,
        role_arn,
        extra_args={"RoleSessionName": _role_session_name()},
        cache=_assumed_roles,
    )
    core._credentials = DeferredRefreshableCredentials(
        refresh_using=fetcher.fetch_credentials, method="assume-role"
    )


def _role_session_name() -> str:
    name = re.sub(r"[^A-Za-z0-9+=,.@_-]", "-", f"superluigi-{socket.gethostname()}")
    return name[:64]


def _is_amazon(endpoint_url: str) -> bool:
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
