"""A TCP relay that plays a bad network between a program of ours and a real server: slow, late, cut, silent, or in the
server's place."""

import contextlib
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

CHUNK = 16384


def _close(connection, reset=False):
    """With a reset, as a connection ends whose other side has gone, or in order."""
    if reset:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class Relay:
    """Takes connections on a port of its own and passes them on to `target` ("host:port")."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.latency = 0.0      # seconds that each piece is late, in each direction
        self.rate = None        # bytes a second, in each direction and connection
        self.cut_after = None   # bytes from the server, after which a connection breaks; each connection counts anew
        self.instead = None     # bytes that answer each connection's first request in the server's place
        self.connections = 0
        self.changed = threading.Condition()
        self.pairs = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.changed:
                self.connections += 1
                self.changed.notify_all()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        if self.instead is not None:
            with contextlib.suppress(OSError):
                client.recv(65536)
                client.sendall(self.instead)
                client.shutdown(socket.SHUT_WR)
                client.recv(1)
            client.close()
            return
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            _close(client, reset=True)
            return
        server.settimeout(None)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = (client, server)
        with self.changed:
            self.pairs.add(pair)
        threading.Thread(target=self._pass, args=(client, server, pair, None), daemon=True).start()
        self._pass(server, client, pair, self.cut_after)

    def _pass(self, source, sink, pair, limit):
        """Reads ahead, so that what is late is late by its own time and not by that of what went before it."""
        waiting, ready, ended, broken = [], threading.Condition(), threading.Event(), threading.Event()

        def deliver():
            free = 0.0
            while True:
                with ready:
                    ready.wait_for(lambda: waiting or ended.is_set())
                    if not waiting:
                        return self._end(pair, reset=broken.is_set())
                    due, piece = waiting.pop(0)
                free = max(free, due)
                self.closing.wait(max(0.0, free - time.monotonic()))
                if self.rate:
                    free += len(piece) / self.rate
                with contextlib.suppress(OSError):
                    sink.sendall(piece)

        threading.Thread(target=deliver, daemon=True).start()
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(CHUNK):
                if limit is not None and passed + len(piece) > limit:
                    piece = piece[:max(0, limit - passed)]
                    limit = -1
                passed += len(piece)
                with ready:
                    waiting.append((time.monotonic() + self.latency, piece))
                    ready.notify()
                if limit == -1:
                    broken.set()
                    break
        with ready:
            ended.set()
            ready.notify()

    def _end(self, pair, reset=False):
        with self.changed:
            self.pairs.discard(pair)
        for each in pair:
            _close(each, reset)

    def cut(self):
        """Breaks every connection there is. The number of them."""
        with self.changed:
            pairs = list(self.pairs)
        for pair in pairs:
            self._end(pair, reset=True)
        return len(pairs)

    def close(self):
        self.closing.set()
        self.listener.close()
        self.cut()


@contextlib.contextmanager
def relay(target):
    """To an address ("host:port") or the one of a URL."""
    started = Relay(urlsplit(target).netloc if "//" in target else target)
    try:
        yield started
    finally:
        started.close()
