"""Serves Coffer's protocol for external TEEs (docs/tees/external.md): frames of JSON over a Unix socket.

handle(request) gets one request as a dictionary and returns the result, or raises Refusal.
"""

import json
import os
import socket
import struct

MAX_REQUEST = 8 << 20
TIMEOUT_SECONDS = 10


class Refusal(Exception):
    """The evidence or request is refused: a code for programs and a sentence for people."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def receive(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            return None
        data += chunk
    return data


def answer(request, kind, handle):
    envelope = {"version": 1, "id": request.get("id"), "type": kind}
    try:
        if request.get("version") != 1 or request.get("type") != kind:
            raise Refusal("bad_request", f"expected version 1 and type {kind}")
        return {**envelope, "result": handle(request)}
    except Refusal as refusal:
        return {**envelope, "error": {"code": refusal.code, "message": refusal.message}}


def serve_connection(connection, kind, handle):
    connection.settimeout(TIMEOUT_SECONDS)
    while (head := receive(connection, 4)) is not None:
        (size,) = struct.unpack(">I", head)
        body = receive(connection, size) if size <= MAX_REQUEST else None
        if body is None:
            return
        reply = json.dumps(answer(json.loads(body), kind, handle)).encode()
        connection.sendall(struct.pack(">I", len(reply)) + reply)


def serve(path, kind, handle):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the socket is for its owner alone
    listener.bind(path)
    os.umask(before)
    listener.listen()
    print(f"serving {kind} at {path}", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve_connection(connection, kind, handle)
            except (OSError, ValueError) as error:
                print(f"connection ended: {error}", flush=True)
