"""Requests as bytes, for what no client would send."""

import socket
from urllib.parse import urlsplit

from tests.support.servers import Service


def spoken(service: Service, first_line: str, **headers: str) -> bytes:
    """The answer to a request of any form; the connection is closed after it."""
    address = urlsplit(service.url)
    lines = [first_line, *(f"{name}: {value}" for name, value in {"Connection": "close", **headers}.items())]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer
