"""Many HTTP clients at once, cheaply: requests made beforehand, sent over connections that stay open.

It runs in a process of its own and spends some 20 microseconds on a request, so that what is measured is the
server. Each client sends its next request when the answer to the last has come.
"""

import multiprocessing
import select
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """Answers a second, how many by status, and the milliseconds of the median and the slowest hundredth."""

    per_second: float
    statuses: dict[int, int]
    median_ms: float
    slow_ms: float | None


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one request on a connection that stays open."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bench",
        *(f"{name}: {said}" for name, said in headers.items()),
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Send the requests in turn from that many clients for that long, from a process of its own."""
    context = multiprocessing.get_context("fork")  # at once, and it touches nothing but its sockets
    ours, theirs = context.Pipe()
    process = context.Process(target=_child, args=(theirs, port, requests, clients, seconds), daemon=True)
    process.start()
    try:
        if not ours.poll(seconds + PATIENCE_SECONDS):
            raise TimeoutError("The clients hang.")
        return ours.recv()
    finally:
        process.kill()
        process.join()


def _child(pipe, port: int, requests: Sequence[bytes], clients: int, seconds: float) -> None:
    pipe.send(drive(port, requests, clients, seconds))


def drive(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Like `run`, in this process."""
    waiting = select.epoll()
    open_, sent, read = {}, {}, {}
    for _ in range(clients):
        one = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_[one.fileno()] = one
        waiting.register(one.fileno(), select.EPOLLIN)
    turn, took, statuses = 0, [], Counter()
    began = time.perf_counter()
    until = began + seconds
    for number, one in open_.items():
        sent[number], read[number] = time.perf_counter(), b""
        one.sendall(requests[turn % len(requests)])
        turn += 1
    while sent:
        for number, _ in waiting.poll(PATIENCE_SECONDS):
            one = open_[number]
            read[number] += (more := one.recv(65536))
            if not more:
                raise ConnectionError("The server closed a connection.")
            if not _is_whole(read[number]):
                continue
            now = time.perf_counter()
            took.append(now - sent[number])
            statuses[int(read[number][9:12])] += 1
            if now >= until:
                del sent[number]
                continue
            sent[number], read[number] = now, b""
            one.sendall(requests[turn % len(requests)])
            turn += 1
    ended = time.perf_counter()
    for one in open_.values():
        one.close()
    took.sort()
    median, slow = took[len(took) // 2], took[int(len(took) * 0.99)]
    return Load(len(took) / (ended - began), dict(statuses), median * 1000, slow * 1000)


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    said = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(said or 0)


async def bare(scope, receive, send) -> None:
    """The least that can be asked of a server: how fast clients and server are without an application."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})
