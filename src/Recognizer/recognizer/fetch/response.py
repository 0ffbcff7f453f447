"""Reads an answer more strictly than http.client and urllib3 do: its head, its chunks, and how much of it.

Both read through the file and the two methods that are exchanged here. They are not public; the tests would notice if
they were no longer used.
"""

from __future__ import annotations

import http.client
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from socket import socket

MAX_INFORMATIONAL: Final = 10  # 1xx answers before the one that counts; each may have 100 headers of 64 KB
AHEAD_BYTES: Final = 1 << 20  # that may arrive before any content: headers, and what a decoder needs for its first byte
OVERHEAD: Final = 2  # times its content that an answer may take on its way beyond that, for chunk sizes


@dataclass(slots=True)
class Progress:
    """How far the reading of an answer has come.

    Attributes:
        content_bytes: content so far, its encoding undone.
    """

    content_bytes: int = 0


class StrictResponse(http.client.HTTPResponse):
    """Skips informational answers, refuses a length below zero, and ends when bytes arrive but no content.

    Args:
        sock: the connection.
        progress: kept up to date by whoever reads the content.
        options: what http.client knows of the request.
    """

    def __init__(self, sock: socket, *, progress: Progress, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_Wire(self.fp.detach(), progress))

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


class _Wire(io.RawIOBase):
    """The bytes of one answer as they arrive, which may not run ahead of its content.

    The limit on the content does not suffice. A stream of empty gzip members or deflate blocks, long chunk extensions
    and endless trailers have no content at all, yet keep a core busy until the deadline; and urllib3 keeps what it
    reads of a deflate stream until the first byte comes out of it.
    """

    def __init__(self, raw: io.RawIOBase, progress: Progress) -> None:
        self._raw = raw
        self._progress = progress
        self._arrived_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer)
        self._arrived_bytes += count or 0
        if self._arrived_bytes > AHEAD_BYTES + OVERHEAD * self._progress.content_bytes:
            raise http.client.HTTPException(f"{self._arrived_bytes} bytes without content to match")
        return count

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()
