"""A mail server on this machine for tests, which can behave badly."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is handed; `trouble` names the step at which it behaves badly,
    `unknown` an address that it refuses beside others."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.mails: list[bytes] = []
        self.trouble = ""
        self.unknown = ""
        self.gate = threading.Event()
        self.gate.set()


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say("220 hello")
        while heard := self.rfile.readline().decode():
            word = heard.split(" ")[0].strip().upper()
            if word == "DATA":
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                self.server.gate.wait(10)
                self.server.mails.append(b"".join(lines))
                if self.server.trouble == "silence":
                    return
                self.say("554 no thanks" if self.server.trouble == "DATA" else "250 kept")
            elif word == "QUIT":
                if self.server.trouble != "QUIT":
                    self.say("221 bye")
                return
            elif word == "RCPT" and self.server.unknown and self.server.unknown in heard:
                self.say("550 unknown here")
            else:
                self.say("550 who\r\nis that" if word == self.server.trouble else "250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def running() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
