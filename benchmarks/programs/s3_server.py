"""moto's S3 server with a delay before each request, and a count of them; prints its port."""

import sys
import threading
import time

from moto.backends import get_backend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

BUCKET = "lake"
MotoRequestHandler.disable_nagle_algorithm = True
MotoRequestHandler.protocol_version = "HTTP/1.1"  # connections are kept
MotoRequestHandler.log_request = lambda *_: None


class Delayed:
    """The server, farther away; `/delay/<milliseconds>`, `/count` and `/fill/<number>` are for the benchmark."""

    def __init__(self):
        self.inner = DomainDispatcherApplication(create_backend_app)
        self.delay_s = 0.0
        self.count = 0
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        kind, _, value = environ["PATH_INFO"].strip("/").partition("/")
        if environ["REQUEST_METHOD"] == "OPTIONS":
            answer = self.told(kind, value).encode()
            start_response("200 OK", [("Content-Length", str(len(answer)))])
            return [answer]
        with self.lock:
            self.count += 1
        time.sleep(self.delay_s)
        return self.inner(environ, start_response)

    def told(self, kind, value):
        if kind == "delay":
            self.delay_s = int(value) / 1000
        elif kind == "fill":
            backend = get_backend("s3")["123456789012"]["aws"]
            for number in range(int(value)):
                backend.put_object(BUCKET, f"raw/{number:05}.csv", b"%d" % number)
        with self.lock:
            counted, self.count = self.count, 0
        return str(counted)


server = make_server("127.0.0.1", 0, Delayed(), threaded=True, request_handler=MotoRequestHandler)
print(server.server_port, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
