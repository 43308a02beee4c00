"""A load client that costs little: request bytes made beforehand, plain sockets, one select loop."""

import selectors
import socket
import statistics
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    """What a load run measured: wall seconds, milliseconds of each request, statuses."""

    seconds: float = 0.0
    latencies: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)

    def percentile(self, share):
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def median(self):
        return statistics.median(self.latencies)


def request_bytes(path, body, key, headers=()):
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        "Content-Type: application/cloudevents-batch+json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.started = 0.0
        self.received = b""

    def send(self, request):
        self.received = b""
        self.started = time.perf_counter()
        self.socket.sendall(request)

    def take(self):
        """The status once a whole answer is there, else None."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(head.split(b" ", 2)[1]) if len(body) >= length else None


def run(port, requests, connections):
    """Send every request over `connections` sockets, each with one request under way; 429 is sent again."""
    load, waiting = Load(), list(reversed(requests))
    selector = selectors.DefaultSelector()
    busy = {}
    started = time.perf_counter()
    for _ in range(connections):
        if waiting:
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            busy[connection] = waiting.pop()
            connection.send(busy[connection])
    while busy:
        for key, _ in selector.select():
            connection = key.data
            status = connection.take()
            if status is None:
                continue
            load.latencies.append(1000 * (time.perf_counter() - connection.started))
            load.statuses[status] = load.statuses.get(status, 0) + 1
            if status == 429:
                waiting.append(busy[connection])
            if waiting:
                busy[connection] = waiting.pop()
                connection.send(busy[connection])
            else:
                del busy[connection]
                selector.unregister(connection.socket)
                connection.socket.close()
    load.seconds = time.perf_counter() - started
    return load
