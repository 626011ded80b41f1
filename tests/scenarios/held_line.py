"""A line between a client and a server that can be held: latency, as long as a test wants it."""

from __future__ import annotations

import contextlib
import socket
import threading


class HeldLine:
    """Carries TCP both ways; while it is held, what the server says waits in it.

    What the client says goes through all the time, so the server does its work meanwhile.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._flows = threading.Event()
        self._flows.set()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where clients find the server through this line."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def hold(self) -> None:
        """From now on nothing of the server arrives."""
        self._flows.clear()

    def release(self) -> None:
        """All that has waited arrives."""
        self._flows.set()

    def end(self) -> None:
        """Closes all connections."""
        self.release()
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the end
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open += [client, server]
                for pump in (self._to_server, self._to_client):
                    threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := client.recv(65536):
                server.sendall(said)
            server.shutdown(socket.SHUT_WR)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := server.recv(65536):
                self._flows.wait()
                client.sendall(said)
            client.shutdown(socket.SHUT_WR)
