"""A proxy between the host and PostgreSQL, which can be slow, cut connections in the middle of a commit, and go silent."""

import random
import socket
import struct
import threading
import time
from contextlib import suppress

from postgres import free_port

# Closing such a socket sends RST.
AT_ONCE = struct.pack("ii", 1, 0)


class Link:
    """One connection, and its two directions."""

    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server

    def reset(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                # Another thread may be reading: the connection ends when the last reader has gone.
                end.shutdown(socket.SHUT_RD)
            end.close()


class Proxy:
    def __init__(self, to: int, seed: int):
        self.to, self.port = to, free_port()
        self.mode, self.delay = "pass", 0.0
        self.hits = 0
        self.random = random.Random(seed)
        self.links: set[Link] = set()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, mode: str, delay: float = 0.0) -> None:
        """`pass`, `delay`, `cut-before` and `cut-after` the server has seen a COMMIT, or `silent`."""
        self.hits = 0
        self.mode, self.delay = mode, delay

    def reset(self) -> None:
        """Cuts all connections."""
        for link in list(self.links):
            link.reset()

    def close(self) -> None:
        self.listener.close()
        self.reset()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                threading.Thread(target=self.connect, args=(client,), daemon=True).start()
            except OSError:
                return

    def connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            return client.close()
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(client, server)
        self.links.add(link)
        threading.Thread(target=self.forward, args=(link, client, server, True), daemon=True).start()
        self.forward(link, server, client, False)

    def forward(self, link: Link, source: socket.socket, target: socket.socket, is_asking: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if not self.pass_on(link, data, target, is_asking):
                    break
        except OSError:
            pass
        self.links.discard(link)
        link.reset()

    def pass_on(self, link: Link, data: bytes, target: socket.socket, is_asking: bool) -> bool:
        """Sends data on, sooner or later; not when the link is cut."""
        while self.mode == "silent" and link in self.links:
            self.hits += 1
            time.sleep(0.02)
        mode = self.mode
        if mode == "delay":
            self.hits += 1
            time.sleep(self.delay)
        if is_asking and mode.startswith("cut") and b"COMMIT" in data and self.random.random() < 0.5:
            self.hits += 1
            if mode == "cut-after":
                target.sendall(data)
                # The server answers, and nobody hears it.
                link.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                link.client.close()
                time.sleep(0.05)
            return False
        target.sendall(data)
        return True
