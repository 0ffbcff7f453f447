"""Messages between two processes: a JSON document, and blobs of bytes.

Owns the format. It is JSON and not pickle because the other end may have been taken over by the picture that it
decoded: what comes from there is data, bounded in size, and nothing else.

A frame is the length of the document in four bytes, the document, then its blobs, whose lengths stand in the document.
Blobs that fit into memory that both ends share lie there instead, one after the other: a megabyte through a socket
takes half a millisecond, and is copied twice.
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    Blob = bytes | bytearray | memoryview
    Message = tuple[dict[str, Any], list[bytearray | memoryview]]

_LENGTH = struct.Struct(">I")
_SHARED_BYTES = 2 * 1024 * 1024  # the view of a picture that a detector wants takes 1.1 MB
_MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
_MAX_BLOBS_BYTES = 256 * 1024 * 1024  # of a message, together


class ConnectionLost(Exception):
    """The other process is gone, does not answer in time, or sends what is no message."""


def shared_memory() -> int | None:
    """A descriptor of new memory for two ends of a connection; None where the system has or gives no such thing.

    Neither end can make it smaller, which would end the other one at its next look.
    """
    if not hasattr(os, "memfd_create"):  # Linux alone has it
        return None
    try:
        fd = os.memfd_create("wire", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, _SHARED_BYTES)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        except OSError:
            os.close(fd)
            raise
    except OSError:  # the most that this process may write is less, or a sandbox round it knows no such call
        return None
    return fd


class Wire:
    """One end of a connection; used by one thread at a time."""

    def __init__(self, sock: socket.socket, shared_fd: int | None = None) -> None:
        """Takes a connected stream socket, and closes it in the end; maps shared memory, and leaves its descriptor."""
        self._socket = sock
        self._shared = memoryview(bytearray() if shared_fd is None else mmap.mmap(shared_fd, _SHARED_BYTES))
        self._in_step = True

    def tell(self, document: dict[str, Any], *blobs: Blob) -> None:
        """Sends a message that needs no answer, or is one.

        Raises:
            ConnectionLost: the other process is gone.
        """
        views = [memoryview(blob).cast("B") for blob in blobs]
        lengths = [len(view) for view in views]
        are_shared = sum(lengths) <= len(self._shared)
        encoded = json.dumps({**document, "blobs": lengths, "shared": are_shared}).encode()
        self._in_step = False
        try:
            if are_shared:
                for part, view in zip(self._parts(lengths), views, strict=True):
                    part[:] = view
                views = []
            self._socket.sendall(_LENGTH.pack(len(encoded)) + encoded)
            for view in views:
                self._socket.sendall(view)
        except OSError as error:
            raise ConnectionLost("the message could not be sent") from error
        self._in_step = True

    def hear(self, timeout_s: float | None = None) -> Message:
        """The next message: its document, and its blobs, which are to be used before the next message, or copied.

        Args:
            timeout_s: how long all of the message may take to come; None for as long as it likes.

        Raises:
            ConnectionLost: the other process is gone, is too slow, or sent what is no message.
        """
        self._in_step = False
        try:
            message = self._message(math.inf if timeout_s is None else time.monotonic() + timeout_s)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConnectionLost("no message came") from error
        self._in_step = True
        return message

    def ask(self, document: dict[str, Any], *blobs: Blob, timeout_s: float) -> Message:
        """Sends a message and waits for its answer.

        Raises:
            ConnectionLost: as ``tell`` and ``hear``.
        """
        self._socket.settimeout(timeout_s)
        self.tell(document, *blobs)
        return self.hear(timeout_s)

    def retire(self) -> None:
        """Has this connection, and so the other process, not be used again."""
        self._in_step = False

    @property
    def is_in_step(self) -> bool:
        """Whether nothing was broken off, so that the next message will be understood."""
        return self._in_step

    def is_closed_by_peer(self) -> bool:
        """Whether the other process is gone; to be asked while no message is under way."""
        self._socket.settimeout(0)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        """Closes the connection; the other end learns of it when it next reads."""
        self._socket.close()
        self._shared = memoryview(bytearray())  # unmapped with the last blob in it that somebody holds

    def _message(self, ends_at_s: float) -> Message:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, ends_at_s))
        if length > _MAX_DOCUMENT_BYTES:
            raise ConnectionLost("the message is too long")
        document: dict[str, Any] = json.loads(self._exactly(length, ends_at_s))
        lengths, are_shared = document.pop("blobs"), document.pop("shared")
        most = len(self._shared) if are_shared else _MAX_BLOBS_BYTES
        if not all(isinstance(each, int) and each >= 0 for each in lengths) or sum(lengths) > most:
            raise ConnectionLost("the blobs are too long")
        if are_shared:
            return document, list(self._parts(lengths))
        return document, [self._exactly(each, ends_at_s) for each in lengths]

    def _parts(self, lengths: list[int]) -> Iterator[memoryview]:
        """Where blobs of these lengths lie in the shared memory."""
        start = 0
        for length in lengths:
            yield self._shared[start : start + length]
            start += length

    def _exactly(self, length: int, ends_at_s: float) -> bytearray:
        content = bytearray(length)
        view = memoryview(content)
        while view:
            left_s = ends_at_s - time.monotonic()
            if left_s <= 0:
                raise ConnectionLost("the other process is too slow")
            self._socket.settimeout(None if left_s == math.inf else left_s)
            received = self._socket.recv_into(view)
            if not received:
                raise ConnectionLost("the other process is gone")
            view = view[received:]
        return content
