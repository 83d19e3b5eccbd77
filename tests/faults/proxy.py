"""A TCP proxy before a server: it delays, cuts in mid message, or is mute."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["Proxy"]

_BLOCK = 65536


class Proxy:
    """Passes bytes between clients and a server, as well as its attributes let it.

    Attributes:
        port: Where it listens on the loopback interface.
        delay_seconds: How long each piece waits before it is passed on.
        cut_after_bytes: After how many bytes to the server a connection is cut, or
            None.
        is_mute_to_server: Whether what clients send is swallowed.
        is_mute_to_client: Whether what the server answers is swallowed.
        connections: How many there were.
    """

    def __init__(self, port: int) -> None:
        """Listen before the server of a port."""
        self.delay_seconds = 0.0
        self.cut_after_bytes: int | None = None
        self.is_mute_to_server = False
        self.is_mute_to_client = False
        self.connections = 0
        self._server_port = port
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        """Give the proxy, which listens already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and cut all connections."""
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut all connections that there are."""
        sockets, self._sockets = self._sockets, []
        for end in sockets:
            _close(end)

    def heal(self) -> None:
        """Pass all on again; connections that are spoilt are cut."""
        self.delay_seconds = 0.0
        self.cut_after_bytes = None
        self.is_mute_to_server = self.is_mute_to_client = False
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self._server_port))
                except OSError:
                    _close(client)
                    continue
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pass_on,
                        args=(source, target, source is client),
                        daemon=True,
                    ).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, is_to_server: bool
    ) -> None:
        passed = 0
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                time.sleep(self.delay_seconds)
                if self.is_mute_to_server if is_to_server else self.is_mute_to_client:
                    continue
                if is_to_server and self.cut_after_bytes is not None:
                    block = block[: max(0, self.cut_after_bytes - passed)]
                target.sendall(block)
                passed += len(block)
                if is_to_server and passed == self.cut_after_bytes:
                    break
        _close(source)
        _close(target)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
