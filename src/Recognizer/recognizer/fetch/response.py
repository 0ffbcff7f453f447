"""Reads an answer more strictly than http.client and urllib3 do: its head, its chunks, and how much of it.

Both read through the file and the two methods that are exchanged here. They are not public; the tests would notice if
they were no longer used.
"""

from __future__ import annotations

import http.client
import io
from typing import TYPE_CHECKING, Any, Final

from recognizer.fetch import failures

if TYPE_CHECKING:
    from socket import socket

MAX_INFORMATIONAL: Final = 10  # 1xx answers before the one that counts; each may have 100 headers of 64 KB
OVERHEAD: Final = 2  # times its content that an answer may take on its way: for headers, chunk sizes, compression


class StrictResponse(http.client.HTTPResponse):
    """Skips informational answers, refuses a length below zero, and ends when too much arrives.

    Args:
        sock: the connection.
        max_bytes: longest content; the answer may take `OVERHEAD` times as many on its way.
        options: what http.client knows of the request.
    """

    def __init__(self, sock: socket, *, max_bytes: int, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_Limited(self.fp.detach(), max_bytes))

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the final answer.

        http.client skips 100 only, but any number of them, and takes 103 Early Hints for the answer itself; a client
        must be able to read all of 1xx: https://www.rfc-editor.org/rfc/rfc9110#section-15.2,
        https://github.com/urllib3/urllib3/pull/3319. 101 is none of them here: no other protocol was asked for.
        """
        for _ in range(MAX_INFORMATIONAL + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:  # noqa: PLR2004
                return version, status, reason
            http.client._read_headers(self.fp)  # type: ignore[attr-defined]  # noqa: SLF001
        raise http.client.HTTPException(f"more than {MAX_INFORMATIONAL} informational answers")

    def _safe_read(self, amt: int) -> bytes:
        """So many bytes, not fewer.

        The size of a chunk is read with int(), which takes a sign: -1 would read until the connection ends, past every
        limit (https://github.com/urllib3/urllib3/pull/5083).
        """
        if amt < 0:
            raise http.client.HTTPException(f"a chunk of {amt} bytes")
        return super()._safe_read(amt)  # type: ignore[misc,no-any-return]


class _Limited(io.RawIOBase):
    """The bytes of one answer as they arrive, and no more than it may have.

    The limit on the content does not suffice. A stream of empty gzip members or deflate blocks, long chunk extensions
    and endless trailers have no content at all, yet keep a core busy until the deadline; and urllib3 keeps what it
    reads of a deflate stream until the first byte comes out of it.
    """

    def __init__(self, wire: io.RawIOBase, max_bytes: int) -> None:
        self._wire = wire
        self._max_bytes = max_bytes
        self._left_bytes = OVERHEAD * max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._wire.readinto(buffer)
        self._left_bytes -= count or 0
        if self._left_bytes < 0:
            raise failures.too_large(self._max_bytes)
        return count

    def fileno(self) -> int:
        return self._wire.fileno()

    def close(self) -> None:
        self._wire.close()
        super().close()
