"""A proxy before PostgreSQL that can be cut, and can hang, while the real server lives on."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

from django.db import connection


class Cut:
    """Forwards connections until told otherwise. States: "through", "cut", "hanging"."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.state = "through"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: str) -> str:
        """The address of the same database through this proxy."""
        parts = urlsplit(database)
        user = parts.username or "postgres"
        secret = f":{parts.password}" if parts.password else ""
        place = f"{user}{secret}@127.0.0.1:{self.port}"
        return urlunsplit(parts._replace(netloc=place, query=""))

    def cut(self) -> None:
        """Hang up on everybody and on whoever comes, as a server that was killed."""
        self.state = "cut"
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
            self._pairs.clear()

    def hang(self) -> None:
        """Keep every connection and answer none."""
        self.state = "hanging"

    def mend(self) -> None:
        self.state = "through"

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            if self.state == "cut":
                client.close()
                continue
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        server = _connect()
        with self._lock:
            self._pairs.append((client, server))
        chosen = selectors.DefaultSelector()
        chosen.register(client, selectors.EVENT_READ, server)
        chosen.register(server, selectors.EVENT_READ, client)
        with client, server, chosen, suppress(OSError):
            while True:
                for key, _events in chosen.select(0.1):
                    if self.state == "hanging":
                        threading.Event().wait(0.1)
                        continue
                    data = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)


def _connect() -> socket.socket:
    """A connection to the server of the tests."""
    place = connection.settings_dict
    host = place["OPTIONS"].get("host") or place["HOST"] or "127.0.0.1"
    port = int(place["OPTIONS"].get("port") or place["PORT"] or 5432)
    if host.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server
    return socket.create_connection((host, port))
