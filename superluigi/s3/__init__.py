"""Objects in S3 and their local copies: everything about the store that knows no tasks and no sidecars.

`ObjectStore` is the way to one account's objects, `Cache` keeps verified local copies of them.
Importing this package loads neither boto3 nor botocore: that happens with the first request.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from superluigi.s3.cache import Cache, CachedObject
    from superluigi.s3.client import ClientSpec, client_for
    from superluigi.s3.objects import Downloaded, ObjectStat
    from superluigi.s3.protocol import Store
    from superluigi.s3.store import ObjectStore
    from superluigi.s3.uri import format_uri, is_s3_uri, parse_uri

__all__ = [
    "Cache",
    "CachedObject",
    "ClientSpec",
    "Downloaded",
    "ObjectStat",
    "ObjectStore",
    "Store",
    "client_for",
    "format_uri",
    "is_s3_uri",
    "parse_uri",
]

_HOMES = {
    "Cache": "cache",
    "CachedObject": "cache",
    "ClientSpec": "client",
    "Downloaded": "objects",
    "ObjectStat": "objects",
    "ObjectStore": "store",
    "Store": "protocol",
    "client_for": "client",
    "format_uri": "uri",
    "is_s3_uri": "uri",
    "parse_uri": "uri",
}


def __getattr__(name: str) -> Any:
    # Imported when used: a local build does not need them.
    if name not in _HOMES:
        message = f"module 'superluigi.s3' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"superluigi.s3.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
