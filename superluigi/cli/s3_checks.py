"""What `superluigi doctor` looks at in S3: credentials, the endpoint, and the rights on a bucket."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from superluigi.cli.checks import Check, safely

__all__ = ["bucket_checks", "credentials_check"]

_PROBE = ".superluigi-doctor"
_NETWORK_PROVIDERS = ("iam-role", "container-role")


def credentials_check(*, asks_the_network: bool) -> Check:
    """Whether boto3 finds credentials, and where requests would go.

    Args:
        asks_the_network: Also ask an instance's or a container's role, which takes seconds where there
            is none.
    """
    import botocore.session

    session = botocore.session.Session()
    if not asks_the_network:
        resolver = session.get_component("credential_provider")
        for name in _NETWORK_PROVIDERS:
            resolver.remove(name)
    try:
        credentials = session.get_credentials()
    except Exception as error:
        advice = "Correct AWS_PROFILE and the AWS config files."
        return Check("s3 credentials", "fail", f"{type(error).__name__}: {error}", advice)
    if credentials is None:
        return _none_found(asks_the_network)
    profile = f", profile {session.profile}" if session.profile else ""
    region = session.get_config_variable("region") or "no region"
    return Check(
        "s3 credentials",
        "ok",
        f"found ({credentials.method}{profile}), {region}{_endpoint(session)}",
    )


def bucket_checks(bucket: str) -> Iterator[Check]:
    """The rights on a bucket, tried with a probe object that is removed again."""
    from superluigi.s3 import ClientSpec, ObjectStore, client_for, format_uri
    from superluigi.s3.errors import LOOK, s3_errors
    from superluigi.s3.uri import check_bucket

    store, key = ObjectStore(), f"{_PROBE}-{uuid.uuid4().hex}"

    def look() -> Check:
        check_bucket(bucket)
        with s3_errors(LOOK, bucket):
            client = client_for(ClientSpec())
            client.head_bucket(Bucket=bucket)
        return Check("s3 bucket", "ok", f"{format_uri(bucket)} at {client.meta.endpoint_url}")

    def list_it() -> Check:
        next(store.list_objects(bucket, _PROBE), None)
        return Check("s3 list", "ok", "s3:ListBucket")

    def write() -> Check:
        store.put_bytes(bucket, key, b"superluigi doctor\n")
        return Check("s3 write", "ok", "s3:PutObject")

    def read() -> Check:
        store.get_bytes(bucket, key)
        return Check("s3 read", "ok", "s3:GetObject")

    def delete() -> Check:
        store.delete_many(bucket, [key])
        return Check("s3 delete", "ok", "s3:DeleteObject")

    found = _tried("s3 bucket", look)
    yield found
    if found.status == "fail":
        return

    yield _tried("s3 list", list_it)
    written = _tried("s3 write", write)
    yield written
    if written.status == "ok":
        yield _tried("s3 read", read)
        deleted = _tried("s3 delete", delete)
        if deleted.status != "ok":
            yield _left_behind(deleted, format_uri(bucket, key))
            return
        yield deleted
        yield _tried("s3 conditions", lambda: _conditions_check(bucket, key))


def _conditions_check(bucket: str, key: str) -> Check:
    from superluigi.s3 import ClientSpec, client_for
    from superluigi.s3.capabilities import probe_store
    from superluigi.s3.errors import WRITE, s3_errors

    with s3_errors(WRITE, bucket, key):
        found = probe_store(client_for(ClientSpec()), bucket, key)
    if found.keep(("IfMatch", "IfNoneMatch")):
        return Check("s3 conditions", "ok", "If-Match and If-None-Match are kept")
    return Check(
        "s3 conditions",
        "warn",
        "the store ignores If-Match or If-None-Match",
        "Two builds that write one target at the same instant are noticed afterwards, not prevented: "
        "let only one of them run at a time.",
    )


def _tried(name: str, check: Any) -> Check:
    from superluigi.errors import SuperLuigiError

    try:
        result: Check = check()
    except (SuperLuigiError, ValueError) as error:
        text, _, advice = str(error).partition(". ")
        return Check(name, "fail", text, advice)
    except Exception:
        return safely(name, check)
    return result


def _left_behind(check: Check, uri: str) -> Check:
    advice = f"{check.advice} The probe {uri} stays: remove it."
    return Check(check.name, check.status, check.text, advice.strip())


def _none_found(asked_the_network: bool) -> Check:
    if not asked_the_network:
        text = "none in the environment and the AWS files: needed for s3:// targets only"
        return Check("s3 credentials", "ok", text)
    return Check(
        "s3 credentials",
        "fail",
        "none found",
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (aws sso login).",
    )


def _endpoint(session: Any) -> str:
    import os

    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not named:
        named = session.get_scoped_config().get("endpoint_url")
    return f", endpoint {named}" if named else ""
