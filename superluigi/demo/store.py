"""An S3 in this process whose objects are kept in a folder: moto's server, filled and saved.

moto keeps objects in memory and forgets them when its process ends. So that a demo's targets still stand
for the next command, a process that needs them fills a new server from the folder, and writes back what
has changed when it ends.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
from pathlib import Path
from typing import Any

__all__ = ["FolderStore", "serve_folder", "stores"]

_INDEX = "objects.json"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_HIDDEN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ROLE_ARN")

_stores: dict[Path, FolderStore] = {}


def serve_folder(folder: str | os.PathLike[str], *, bucket: str) -> FolderStore:
    """Serve a folder as S3 to this process and its children, until the process ends.

    The AWS environment variables of this process then name this server.

    Args:
        folder: Made when it is not there.
        bucket: Made when it is not there.
    """
    path = Path(folder).absolute()
    store = _stores.get(path)
    if store is None:
        store = _stores[path] = FolderStore(path)
        atexit.register(store.close)
    store.make_bucket(bucket)
    return store


def stores(directory: Path) -> list[FolderStore]:
    """Those that this process runs, of folders in `directory`."""
    return [store for path, store in _stores.items() if path.is_relative_to(directory)]


class FolderStore:
    """A running server and its folder: `<bucket>/<key>` for each object, and an index.

    Only buckets that were made through it are kept: moto's are those of the whole process.
    """

    def __init__(self, folder: Path) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.folder = folder
        self._owner = os.getpid()
        self._is_closed = False
        self._buckets: set[str] = set()
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._before = {name: os.environ.get(name) for name in (*_CREDENTIALS, *_HIDDEN)}
        self._before["AWS_ENDPOINT_URL_S3"] = os.environ.get("AWS_ENDPOINT_URL_S3")
        self._name_in_environment()
        self._saved = self._fill()

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket unless there is one."""
        client = self._client()
        if bucket not in [row["Name"] for row in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=bucket)
        self._buckets.add(bucket)

    def close(self) -> None:
        """Save, stop, and give the environment back; nothing in a forked child."""
        if os.getpid() != self._owner or self._is_closed:
            return
        from superluigi.s3.client import close_clients

        self.save()
        self._is_closed = True
        if _stores.get(self.folder) is self:
            del _stores[self.folder]
        close_clients()
        self._server.stop()
        if self._server._server is not None:
            self._server._server.server_close()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def save(self) -> None:
        """Write to the folder what has changed in the server since it was filled or saved."""
        client = self._client()
        objects = self._objects(client)
        changed = [key for key, what in objects.items() if self._saved.get(key) != what]
        gone = self._saved.keys() - objects.keys()
        if not changed and not gone:
            return
        index = self._index()
        for key in gone:
            index.pop(key, None)
            self._path(key).unlink(missing_ok=True)
        for key in changed:
            bucket, _, name = key.partition("/")
            answer = client.get_object(Bucket=bucket, Key=name)
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answer["Body"].read())
            index[key] = {
                "Metadata": answer["Metadata"],
                "ContentType": answer["ContentType"],
            }
        text = json.dumps(dict(sorted(index.items())), indent=1)
        (self.folder / _INDEX).write_text(text + "\n", encoding="utf-8")
        self._saved = objects

    def _fill(self) -> dict[str, Any]:
        client = self._client()
        self.folder.mkdir(parents=True, exist_ok=True)
        for key, headers in self._index().items():
            bucket, _, name = key.partition("/")
            self.make_bucket(bucket)
            if self._path(key).is_file():
                client.put_object(
                    Bucket=bucket, Key=name, Body=self._path(key).read_bytes(), **headers
                )
        return self._objects(client)

    def _index(self) -> dict[str, Any]:
        path = self.folder / _INDEX
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _path(self, key: str) -> Path:
        path = Path(os.path.normpath(self.folder / key))
        if not path.is_relative_to(self.folder):
            message = (
                f"The key {key!r} would lie outside {str(self.folder)!r}. Use keys without '..'."
            )
            raise ValueError(message)
        return path

    def _name_in_environment(self) -> None:
        for name in _HIDDEN:
            os.environ.pop(name, None)
        os.environ.update(_CREDENTIALS)
        os.environ["AWS_ENDPOINT_URL_S3"] = self.url

    def _client(self) -> Any:
        from superluigi.s3.client import ClientSpec, client_for

        return client_for(ClientSpec(endpoint_url=self.url))

    def _objects(self, client: Any) -> dict[str, Any]:
        """`<bucket>/<key>` → what is compared: the ETag and the user metadata, which names the run."""
        found = {}
        for bucket in sorted(self._buckets):
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for row in page.get("Contents", ()):
                    head = client.head_object(Bucket=bucket, Key=row["Key"])
                    found[f"{bucket}/{row['Key']}"] = (head["ETag"], head["Metadata"])
        return found
