"""`s3://bucket/key` taken apart and put together: a key is any text, so nothing is unquoted or normalised."""

from __future__ import annotations

import re

__all__ = ["MAX_KEY_BYTES", "check_bucket", "check_key", "format_uri", "is_s3_uri", "parse_uri"]

MAX_KEY_BYTES = 1024
"""S3's own limit on a key in UTF-8."""

_SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_ACCESS_POINT = re.compile(
    r"arn:(aws[a-z-]*):(s3|s3-object-lambda):[a-z0-9-]*:[0-9]*:accesspoint[:/][A-Za-z0-9.-]{1,63}"
)


def is_s3_uri(text: str) -> bool:
    """Whether `text` claims to be an S3 URI; it may still be malformed."""
    return text[: len(_SCHEME)].lower() == _SCHEME


def parse_uri(uri: str) -> tuple[str, str]:
    """The bucket and the key; the key is "" when the URI names a bucket only.

    Raises:
        ValueError: no S3 URI, or no valid bucket or key in it.

    Example:
        >>> parse_uri("s3://lake/raw//day=1/?.csv#x")
        ('lake', 'raw//day=1/?.csv#x')
    """
    if not is_s3_uri(uri):
        message = f"{uri!r} is no S3 URI. Write it as 's3://bucket/key'."
        raise ValueError(message)
    rest = uri[len(_SCHEME) :]
    access_point = _ACCESS_POINT.match(rest)
    if access_point:
        bucket, key = access_point[0], rest[access_point.end() :].removeprefix("/")
    else:
        bucket, _, key = rest.partition("/")
    check_bucket(bucket)
    if key:
        check_key(key)
    return bucket, key


def format_uri(bucket: str, key: str = "") -> str:
    """The URI of an object, or of a bucket without `key`."""
    return f"{_SCHEME}{bucket}/{key}" if key else f"{_SCHEME}{bucket}"


def check_bucket(bucket: str) -> str:
    """The bucket as it came.

    Raises:
        ValueError: no bucket can have that name.
    """
    if not (_BUCKET.fullmatch(bucket) or _ACCESS_POINT.fullmatch(bucket)):
        message = (
            f"{bucket!r} cannot be a bucket. A bucket's name has 3 to 63 lowercase letters, "
            "digits, dots and hyphens, and no slash."
        )
        raise ValueError(message)
    return bucket


def check_key(key: str) -> str:
    """The key as it came.

    Raises:
        ValueError: it is empty, longer than 1,024 bytes, or no valid Unicode.
    """
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        message = f"{key!r} cannot be an object key: it is no valid Unicode. Rename the object."
        raise ValueError(message) from error
    if not 1 <= length <= MAX_KEY_BYTES:
        message = (
            f"An object key has 1 to {MAX_KEY_BYTES} bytes in UTF-8, but {_shortened(key)} has "
            f"{length}. Choose another name."
        )
        raise ValueError(message)
    return key


def _shortened(key: str) -> str:
    return repr(key) if len(key) <= 80 else f"{key[:60]!r}…"
