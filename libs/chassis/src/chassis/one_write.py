"""A connection on which an answer's head goes out together with its body."""

import asyncio
from typing import Any


class OneWrite(asyncio.Transport):
    """Holds what is written until more follows or the loop's next turn: two pieces of one turn are one system call.

    uvicorn writes a head as soon as it is stated, and each write wakes the caller. At most one piece is held, so that
    back-pressure is felt as without this.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: Any = b""
        self._due = False

    def write(self, data: Any) -> None:
        """See asyncio.WriteTransport."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
            return
        self._held = data
        if not self._due:
            self._due = True
            self._loop.call_soon(self._turned)

    def close(self) -> None:
        """See asyncio.BaseTransport."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """See asyncio.WriteTransport."""
        self._held = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """See asyncio.BaseTransport."""
        return self._transport.get_extra_info(name, default)

    def _turned(self) -> None:
        self._due = False
        self._flush()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)
