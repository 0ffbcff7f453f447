"""Reads the head and the chunks of an answer more strictly than http.client and urllib3 do.

Both read through the two methods that are overridden here. They are not public; the tests would notice if they were no
longer called.
"""

from __future__ import annotations

import http.client
from typing import Final

MAX_INFORMATIONAL: Final = 10  # 1xx answers before the one that counts; each may have 100 headers of 64 KB


class StrictResponse(http.client.HTTPResponse):
    """Skips informational answers, and refuses a length below zero."""

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
