"""How a rebuild and its workers talk: whole messages over a socket pair, each with its length before it."""

import asyncio
import pickle
import socket
import struct
from typing import Any, Final, Self

_LENGTH: Final = struct.Struct(">I")


class Line:
    """One end. The other end's process is this one's parent or child, so that pickled messages are trusted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """The line over one end of a socket pair."""
        return cls(*await asyncio.open_connection(sock=end))

    def tell(self, *message: Any) -> None:
        """Sends; small messages alone, so that nobody waits for room."""
        raw = pickle.dumps(message)
        self._writer.write(_LENGTH.pack(len(raw)) + raw)

    async def hear(self) -> tuple[Any, ...]:
        """The next message; EOFError where the other end is gone."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            message: tuple[Any, ...] = pickle.loads(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError from error
        return message

    def close(self) -> None:
        """Lets go of the socket."""
        self._writer.close()
