"""A TCP proxy of the test's own, to cut the wire to a server that others use meanwhile."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Forwards ``url``'s server; ``cut`` drops every connection and refuses new ones.

    ``watch`` is shown what the server says, ``hear`` what is said to it, each before it is passed
    on; either may cut.
    """

    def __init__(
        self,
        url: str,
        watch: Callable[[bytes], None] | None = None,
        hear: Callable[[bytes], None] | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self._watch = watch
        self._hear = hear
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[tuple[socket.socket, socket.socket]] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.restore()
        account = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{account}@127.0.0.1:{self.port}").geturl()

    def restore(self) -> None:
        """Accept connections again, on the same port."""
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=True)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Drop every connection, bytes under way included, and refuse new ones."""
        with self._lock:
            listener, self._listener = self._listener, None
            if listener is not None:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)
                listener.close()
            for pair in self._pairs:
                for end in pair:
                    _reset(end)
            self._pairs.clear()

    def silence(self) -> None:
        """Let the connections there are stand, and swallow every byte; new ones work."""
        with self._lock:
            self._silent.update(self._pairs)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                if self._listener is not listener:
                    _reset(client)
                    _reset(server)
                    return
                self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, suppress(OSError, ValueError):
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    source = client if key.fileobj is client else server
                    chunk = source.recv(65_536)
                    if not chunk:
                        _reset(client)
                        _reset(server)
                        return
                    if (client, server) in self._silent:
                        continue
                    shown = self._watch if source is server else self._hear
                    if shown is not None:
                        shown(chunk)
                    key.data.sendall(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()


def _reset(end: socket.socket) -> None:
    """Close with a reset, as a cut wire looks from the other side."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        end.shutdown(socket.SHUT_RDWR)
    end.close()
