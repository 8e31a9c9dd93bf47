"""What stands in for AWS in tests: a server for InvokeEndpoint's requests, which answers as told."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
Answer = Callable[[bytes], tuple[int, bytes]]


class Front:
    """`bodies` are the requests so far; `answer` may be exchanged while it runs."""

    def __init__(self, url: str, answer: Answer) -> None:
        self.url = url
        self.answer = answer
        self.bodies: list[bytes] = []
        self.paths: list[str] = []


@contextmanager
def front(answer: Answer) -> Iterator[Front]:
    """A server of its own on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            at.paths.append(self.path)
            at.bodies.append(body)
            status, said = at.answer(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # who was too slow finds that nobody listens any more
    at = Front(f"http://127.0.0.1:{server.server_port}", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield at
    finally:
        server.shutdown()
        server.server_close()


def judged(body: bytes, **differently: object) -> tuple[int, bytes]:
    """A right answer: the first feature of each row is its score; `differently` replaces parts of it."""
    asked = json.loads(body)
    predictions = [
        {"anomaly_score": row[0], "cluster_id": 2, "is_anomaly": row[0] > 0.5, "x": 1.5, "y": -1.0}
        for row in asked["instances"]
    ]
    told = {"feature_version": asked["feature_version"], "model": "m1", "predictions": predictions}
    return 200, json.dumps(told | differently).encode()


def passed_on_to(address: str) -> Answer:
    """Hands each request to the serving process at `address`, as AWS does; an unreachable one is a 503."""

    def ask(body: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"{address}/invocations", body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with DIRECT.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except OSError:
            return 503, b"{}"

    return ask
