"""What lies beside an object or a prefix: old versions, put aside while a task writes in place."""

from __future__ import annotations

import hashlib
from abc import abstractmethod

from superluigi.s3.parallel import in_threads
from superluigi.s3.store import ObjectStore
from superluigi.s3.uri import MAX_KEY_BYTES, format_uri
from superluigi.targets.base import Stash

__all__ = ["NEXT_SUFFIX", "STASH_SUFFIX", "ObjectStash", "PrefixStash", "S3Stash", "key_beside"]

NEXT_SUFFIX = ".next"
STASH_SUFFIX = ".superluigi-stash-"
_COMPLETE = "complete"
_THREADS = 16


class S3Stash(Stash):
    """What objects and prefixes have in common."""

    @abstractmethod
    def put_back(self) -> bool:
        """Put it back; False when it is not there."""

    def restore(self) -> None:
        """Put it back over whatever the task left; nothing if it was never taken."""
        self.put_back()


class ObjectStash(S3Stash):
    """An object's old version, copied beside it within the store."""

    def __init__(self, store: ObjectStore, bucket: str, key: str, run_id: str) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._stash_key = key_beside(key, f"{STASH_SUFFIX}{run_id}")
        self.location = format_uri(bucket, self._stash_key)

    def take(self) -> None:
        """Copy it, and only then remove it."""
        self._store.copy(self._bucket, self._key, self._bucket, self._stash_key)
        self._store.delete_many(self._bucket, [self._key])

    def put_back(self) -> bool:
        """Put it back; False when it is not there."""
        if self._store.head(self._bucket, self._stash_key) is None:
            return False
        self._store.copy(self._bucket, self._stash_key, self._bucket, self._key)
        self.drop()
        return True

    def drop(self) -> None:
        """Remove it."""
        self._store.delete_many(self._bucket, [self._stash_key])


class PrefixStash(S3Stash):
    """A prefix's old objects, copied below another prefix within the store.

    A marker says that the copies are complete; before it is there, the originals are untouched.
    """

    def __init__(self, store: ObjectStore, bucket: str, prefix: str, run_id: str) -> None:
        self._store, self._bucket, self._prefix = store, bucket, prefix
        base = key_beside(prefix.removesuffix("/"), f"{STASH_SUFFIX}{run_id}")
        self._marker = f"{base}.{_COMPLETE}"
        self._stash_prefix = f"{base}/"
        self.location = format_uri(bucket, self._stash_prefix)

    def take(self) -> None:
        """Copy all, mark that it is all, and only then remove the originals."""
        keys = self._keys_below(self._prefix)
        self._copy_all(keys, self._prefix, self._stash_prefix)
        self._store.put_bytes(self._bucket, self._marker, b"")
        self._store.delete_many(self._bucket, keys)

    def put_back(self) -> bool:
        """Put it back; False when it was never complete, and so never needed."""
        if self._store.head(self._bucket, self._marker) is None:
            self._store.delete_many(self._bucket, self._keys_below(self._stash_prefix))
            return False
        stashed = self._keys_below(self._stash_prefix)
        self._copy_all(stashed, self._stash_prefix, self._prefix)
        start = len(self._stash_prefix)
        restored = {self._prefix + key[start:] for key in stashed}
        left = [key for key in self._keys_below(self._prefix) if key not in restored]
        self._store.delete_many(self._bucket, left)
        self.drop()
        return True

    def drop(self) -> None:
        """Remove it, the marker first: copies without one count for nothing."""
        self._store.delete_many(self._bucket, [self._marker])
        self._store.delete_many(self._bucket, self._keys_below(self._stash_prefix))

    def _keys_below(self, prefix: str) -> list[str]:
        return [stat.key for stat in self._store.list_objects(self._bucket, prefix)]

    def _copy_all(self, keys: list[str], source: str, destination: str) -> None:
        in_threads(
            lambda key: self._store.copy(
                self._bucket, key, self._bucket, destination + key[len(source) :]
            ),
            keys,
            threads=_THREADS,
        )


def key_beside(key: str, suffix: str) -> str:
    """A key for something that belongs to another key: no two keys have the same one.

    Where it would be longer than S3 allows, a digest stands for the end of the key.
    """
    room = MAX_KEY_BYTES - len(suffix.encode()) - len(NEXT_SUFFIX)
    encoded = key.encode()
    if len(encoded) <= room:
        return key + suffix
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{encoded[: room - 65].decode(errors='ignore')}~{digest}{suffix}"
