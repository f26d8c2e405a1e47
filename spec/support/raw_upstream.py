"""An upstream that answers every request with the bytes of a file and closes: what no HTTP library would send.

usage: raw_upstream.py FOLDER

A "<pause>" in them is not sent: it waits there for as long as it takes that what came before leaves by itself.

Writes FOLDER/port; FOLDER/answer is sent, and FOLDER/request is what the last request was, head and body.
"""

import pathlib
import re
import socket
import sys
import time

PAUSE_SECONDS = 0.05

folder = pathlib.Path(sys.argv[1])


def read_request(client: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        piece = client.recv(65536)
        if not piece:
            return request
        request += piece
    length = re.search(rb"\r\ncontent-length: *(\d+)", request, re.IGNORECASE)
    end = request.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
    while len(request) < end:
        piece = client.recv(65536)
        if not piece:
            break
        request += piece
    return request


def write_whole(name: str, content: bytes) -> None:
    """A reader never sees half of it."""
    draft = folder / f"{name}.draft"
    draft.write_bytes(content)
    draft.rename(folder / name)


listener = socket.create_server(("127.0.0.1", 0))
write_whole("port", str(listener.getsockname()[1]).encode())
while True:
    client, _ = listener.accept()
    with client:
        request = read_request(client)
        # whoever only looks whether the port is open says nothing
        if request:
            write_whole("request", request)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i, piece in enumerate((folder / "answer").read_bytes().split(b"<pause>")):
                time.sleep(PAUSE_SECONDS if i else 0)
                client.sendall(piece)
