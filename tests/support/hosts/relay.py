# SPDX-License-Identifier: Apache-2.0
"""A TCP relay that adds a delay, for tests of slow links (the kernels that tests run on need no netem).

    with Relay(host.address, 22, delay=0.1) as relay:     # 0.1 s each way: a round trip takes 0.2 s
        connect to 127.0.0.1, relay.port
    relay.connections[0].round_trips

Bytes keep their order in each direction. What is counted is seen from the client's end of the link.
"""

import asyncio
import socket
import struct
import threading
import time
from collections import namedtuple

Event = namedtuple("Event", "seconds direction size")
CHUNK = 65536
QUEUED_CHUNKS = 512
CLOCK = 0.001  # seconds that timers may be early


class Connection:
    """One relayed connection. `timeline` lists Events, direction "sent" by the client or "delivered" to it."""

    def __init__(self, delay=0.0, greets=False):
        self.opened = time.monotonic()
        self.timeline = []
        self.delay = delay
        self._greeting = greets  # is still to come
        self._begun = []  # when the client began each round trip
        self._answered = 0  # how many of them

    def note(self, direction, size):
        now = time.monotonic() - self.opened
        self.timeline.append(Event(now, direction, size))
        if direction == "sent" and self._answered == len(self._begun):
            self._begun.append(now)
        if direction == "delivered" and not self._greeting:
            while self._answered < len(self._begun) and now - self._begun[self._answered] >= 2 * self.delay - CLOCK:
                self._answered += 1
        self._greeting = self._greeting and direction == "sent"

    @property
    def round_trips(self):
        """How often the client can have waited: a round trip begins with the first bytes it sends after the one before was answered. An
        answer needs the way there and back, so an earlier answer that comes in two pieces begins none."""
        return len(self._begun)

    def bytes(self, direction):
        return sum(event.size for event in self.timeline if event.direction == direction)


class Relay:
    """Listens on 127.0.0.1:port while the with statement lasts. `delay`, in seconds each way, may be changed at any time; round trips are
    counted by the one that a connection began with. `greets`: the other end speaks unasked, as an SSH server does, so its first bytes answer nothing."""

    def __init__(self, address, port, delay=0.0, greets=False):
        self._target = (address, port)
        self.delay = delay
        self.greets = greets
        self.connections = []
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def disconnect(self):
        """Breaks all connections at once, as a reset does; new ones are accepted as before."""
        self._call(self._break_all())

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _break_all(self):
        for writer in list(self._writers):
            if not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _close(self):
        self._server.close()
        await self._break_all()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, client_reader, client_writer):
        connection = Connection(self.delay, self.greets)
        self.connections.append(connection)
        self._writers.add(client_writer)
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            client_writer.transport.abort()
            self._writers.discard(client_writer)
            return
        self._writers.add(server_writer)
        try:
            await asyncio.gather(
                self._carry(client_reader, server_writer, received=lambda size: connection.note("sent", size)),
                self._carry(server_reader, client_writer, delivered=lambda size: connection.note("delivered", size)))
        except asyncio.CancelledError:
            pass  # by _close(): the relay ends
        finally:
            for writer in (client_writer, server_writer):
                self._writers.discard(writer)
                writer.close()

    async def _carry(self, reader, writer, received=lambda size: None, delivered=lambda size: None):
        """Moves bytes one way; every chunk is written `delay` after it was read, and an end of stream likewise."""
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        queue = asyncio.Queue(QUEUED_CHUNKS)

        async def read():
            chunk = None
            while chunk != b"":
                try:
                    chunk = await reader.read(CHUNK)
                except OSError:
                    chunk = b""
                if chunk:
                    received(len(chunk))
                await queue.put((self._loop.time() + self.delay, chunk))

        async def write():
            while True:
                due, chunk = await queue.get()
                await asyncio.sleep(due - self._loop.time())
                try:
                    if not chunk:
                        writer.write_eof()
                        return
                    delivered(len(chunk))
                    writer.write(chunk)
                    await writer.drain()
                except OSError:
                    writer.transport.abort()
                    return
        reading = asyncio.ensure_future(read())
        await write()
        reading.cancel()
