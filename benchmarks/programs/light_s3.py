"""As much of S3 as the benchmark asks for, with as little CPU as Python can; prints its port.

moto's server takes two milliseconds of CPU for a request, and a second for 100 MB: what is measured through it
is mostly itself. This one keeps whole objects in memory, checks nothing, and answers some thousand requests a
second. Conditions are kept, since they are part of what a publish asks for.
"""

import asyncio
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate
from xml.sax.saxutils import escape

BUCKET = "lake"
PAGE = 1000


class Thing:
    """An object."""

    __slots__ = ("body", "etag", "headers", "modified")
    made = 0

    def __init__(self, body, headers):
        Thing.made += 1
        self.body = body
        self.etag = f'"{Thing.made:032x}"'
        self.headers = headers
        self.modified = time.time()


class Store:
    """The objects, the uploads in parts, and what is counted."""

    def __init__(self):
        self.things = {}
        self.keys = []
        self.uploads = {}
        self.delay_s = 0.0
        self.count = 0

    def told(self, kind, value):
        """`/delay/<milliseconds>`, `/count` and `/fill/<number>` are for the benchmark."""
        if kind == "delay":
            self.delay_s = int(value) / 1000
        elif kind == "fill":
            for number in range(int(value)):
                self.things[f"raw/{number:05}.csv"] = Thing(b"%d" % number, {})
        counted, self.count = self.count, 0
        return 200, {}, str(counted).encode()

    def answer(self, method, target, headers, body):
        path, _, query = target.partition("?")
        path = urllib.parse.unquote(path)
        if method == "OPTIONS":
            kind, _, value = path.strip("/").partition("/")
            return self.told(kind, value)
        self.count += 1
        key = path.lstrip("/").partition("/")[2]
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if not key:
            return self.of_bucket(method, asked, body)
        return getattr(self, method.lower())(key, asked, headers, body)

    def of_bucket(self, method, asked, body):
        if "list-type" in asked:
            return self.listed(asked)
        if "delete" in asked:
            for part in body.decode().split("<Key>")[1:]:
                self.things.pop(part.partition("</Key>")[0], None)
            return 200, {}, b"<DeleteResult/>"
        return 200, {}, b""

    def listed(self, asked):
        prefix = asked.get("prefix", "")
        after = asked.get("continuation-token") or asked.get("start-after", "")
        keys = sorted(key for key in self.things if key.startswith(prefix) and key > after)
        page = keys[:PAGE]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.things[key].body)}</Size>"
            f"<ETag>{escape(self.things[key].etag)}</ETag>"
            "<LastModified>2026-01-05T08:12:31.000Z</LastModified></Contents>"
            for key in page
        )
        more = len(keys) > PAGE
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        text = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        return 200, {"Content-Type": "application/xml"}, text.encode()

    def put(self, key, asked, headers, body):
        if "partNumber" in asked:
            self.uploads[asked["uploadId"]][1][int(asked["partNumber"])] = body
            return 200, {"ETag": f'"{asked["partNumber"]}"'}, b""
        return self.kept(key, headers, body, carried(headers))

    def kept(self, key, headers, body, metadata):
        old = self.things.get(key)
        wanted = headers.get("if-match")
        if (headers.get("if-none-match") and old) or (
            wanted and (old is None or old.etag.strip('"') != wanted.strip('"'))
        ):
            return 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"
        thing = self.things[key] = Thing(body, metadata)
        return 200, {"ETag": thing.etag}, b""

    def post(self, key, asked, headers, body):
        if "uploads" in asked:
            name = f"upload{len(self.uploads)}"
            self.uploads[name] = (carried(headers), {})
            text = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            return 200, {"Content-Type": "application/xml"}, text.encode()
        metadata, parts = self.uploads.pop(asked["uploadId"])
        whole = b"".join(parts[number] for number in sorted(parts))
        status, answered, _ = self.kept(key, headers, whole, metadata)
        text = f"<CompleteMultipartUploadResult><ETag>{self.things[key].etag}</ETag></CompleteMultipartUploadResult>"
        return status, answered, text.encode()

    def head(self, key, asked, headers, body):
        thing = self.things.get(key)
        if thing is None:
            return 404, {}, b""
        return 200, {**said(thing), "Content-Length": str(len(thing.body))}, b""

    def get(self, key, asked, headers, body):
        thing = self.things.get(key)
        if thing is None:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        if "range" not in headers:
            return 200, said(thing), thing.body
        first, _, last = headers["range"].removeprefix("bytes=").partition("-")
        part = memoryview(thing.body)[int(first) : int(last) + 1 if last else None]
        end = int(first) + len(part) - 1
        return 206, {**said(thing), "Content-Range": f"bytes {first}-{end}/{len(thing.body)}"}, part

    def delete(self, key, asked, headers, body):
        self.things.pop(key, None)
        return 204, {}, b""


def carried(headers):
    return {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}


def said(thing):
    return {
        "ETag": thing.etag,
        "Last-Modified": formatdate(thing.modified, usegmt=True),
        **thing.headers,
    }


async def serve(store, reader, writer):
    """One connection."""
    with_body = {"PUT", "POST"}
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            if "100-continue" in headers.get("expect", ""):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = int(headers.get("content-length", 0)) if method in with_body else 0
            body = await reader.readexactly(length) if length else b""
            if store.delay_s and method != "OPTIONS":
                await asyncio.sleep(store.delay_s)
            status, answered, content = store.answer(method, target, headers, body)
            answered.setdefault("Content-Length", str(len(content)))
            lines = "".join(f"{name}: {value}\r\n" for name, value in answered.items())
            writer.write(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode("latin-1"))
            if method != "HEAD" and len(content):
                writer.write(content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    store = Store()
    server = await asyncio.start_server(
        lambda reader, writer: serve(store, reader, writer), "127.0.0.1", 0, limit=4 << 20
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(
        target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(gone.set)), daemon=True
    ).start()
    await gone.wait()


asyncio.run(main())
