"""Objects in S3 and their local copies: everything about the store that knows no tasks and no sidecars.

`ObjectStore` is the way to one account's objects, `Cache` keeps verified local copies of them.
Importing this package loads neither boto3 nor botocore: that happens with the first request.
"""

from __future__ import annotations

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
