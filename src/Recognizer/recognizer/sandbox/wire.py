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
    from collections.abc import Iterable, Iterator

    Blob = bytes | bytearray | memoryview
    Message = tuple[dict[str, Any], list[bytearray | memoryview]]

_LENGTH = struct.Struct(">I")
_SHARED_BYTES = 2 * 1024 * 1024  # the view of a picture that a detector wants takes 1.1 MB
# Of a message. Python takes some thirty times the memory for a document, and a hundred bytes more for each blob.
_MAX_DOCUMENT_BYTES = 1024 * 1024
_MAX_BLOBS = 16
_MAX_BLOBS_BYTES = 256 * 1024 * 1024  # together, where nobody says less


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

    def __init__(self, sock: socket.socket, shared_fd: int | None = None, leash: socket.socket | None = None) -> None:
        """Takes a connected stream socket, and closes it in the end; maps shared memory, and leaves its descriptor.

        With a leash, which is closed in the end as well, the nursery ends the other process then.
        """
        self._socket = sock
        self._leash = leash
        self._shared = memoryview(bytearray() if shared_fd is None else _mapped(shared_fd))
        self._in_step = True

    def tell(self, document: dict[str, Any], *blobs: Blob, timeout_s: float | None = None) -> None:
        """Sends a message that needs no answer, or is one.

        Args:
            document: what is said.
            blobs: bytes that belong to it.
            timeout_s: how long the other process may take to read all of it; None for as long as it likes.

        Raises:
            ConnectionLost: the other process is gone, or is too slow.
        """
        self._send(document, blobs, _end(timeout_s))

    def _send(self, document: dict[str, Any], blobs: Iterable[Blob], ends_at_s: float) -> None:
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
            pieces: list[Blob] = [_LENGTH.pack(len(encoded)) + encoded, *views]
            for piece in pieces:
                self._wait_at_most_until(ends_at_s)
                self._socket.sendall(piece)
        except OSError as error:
            raise ConnectionLost("the message could not be sent") from error
        self._in_step = True

    def hear(self, timeout_s: float | None = None) -> Message:
        """The next message: its document, and its blobs, which are to be used before the next message, or copied.

        The other end may change blobs in shared memory at any time: what is to be checked is to be copied before.

        Args:
            timeout_s: how long all of the message may take to come; None for as long as it likes.

        Raises:
            ConnectionLost: the other process is gone, is too slow, or sent what is no message.
        """
        return self._hear(_end(timeout_s), _MAX_BLOBS_BYTES)

    def _hear(self, ends_at_s: float, most_bytes: int) -> Message:
        self._in_step = False
        try:
            message = self._message(ends_at_s, most_bytes)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConnectionLost("no message came") from error
        self._in_step = True
        return message

    def ask(
        self, document: dict[str, Any], *blobs: Blob, timeout_s: float, most_bytes: int = _MAX_BLOBS_BYTES
    ) -> Message:
        """Sends a message and waits for its answer.

        Args:
            document: what is said.
            blobs: bytes that belong to it.
            timeout_s: how long question and answer may take together.
            most_bytes: how large the blobs of the answer may be together.

        Raises:
            ConnectionLost: as ``tell`` and ``hear``, or the answer is larger.
        """
        ends_at_s = _end(timeout_s)
        self._send(document, blobs, ends_at_s)
        return self._hear(ends_at_s, most_bytes)

    def retire(self) -> None:
        """Has this connection, and so the other process, not be used again."""
        self._in_step = False

    @property
    def is_in_step(self) -> bool:
        """Whether nothing was broken off, so that the next message will be understood."""
        return self._in_step

    def is_closed_by_peer(self) -> bool:
        """Whether the other process is gone, or speaks unasked; to be asked while no message is under way."""
        self._socket.settimeout(0)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Closes the connection; the other end learns of it when it next reads."""
        self._socket.close()
        if self._leash is not None:
            self._leash.close()
        self._shared = memoryview(bytearray())  # unmapped with the last blob in it that somebody holds

    def _message(self, ends_at_s: float, most_bytes: int) -> Message:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, ends_at_s))
        if length > _MAX_DOCUMENT_BYTES:
            raise ConnectionLost("the message is too long")
        document: dict[str, Any] = json.loads(self._exactly(length, ends_at_s))
        lengths, are_shared = document.pop("blobs"), document.pop("shared")
        if are_shared:
            most_bytes = min(most_bytes, len(self._shared))
        if len(lengths) > _MAX_BLOBS or not all(isinstance(each, int) and each >= 0 for each in lengths):
            raise ConnectionLost("the blobs are none, or too many")
        if sum(lengths) > most_bytes:
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
            self._wait_at_most_until(ends_at_s)
            received = self._socket.recv_into(view)
            if not received:
                raise ConnectionLost("the other process is gone")
            view = view[received:]
        return content

    def _wait_at_most_until(self, ends_at_s: float) -> None:
        left_s = ends_at_s - time.monotonic()
        if left_s <= 0:
            raise ConnectionLost("the other process is too slow")
        self._socket.settimeout(None if left_s == math.inf else left_s)


def _mapped(shared_fd: int) -> mmap.mmap:
    """Shared memory for this process alone: a nursery that is forked later has none of it, nor have its workers."""
    shared = mmap.mmap(shared_fd, _SHARED_BYTES)
    if hasattr(mmap, "MADV_DONTFORK"):  # Linux alone has it, as it has the memory
        shared.madvise(mmap.MADV_DONTFORK)
    return shared


def _end(timeout_s: float | None) -> float:
    """When a time is up, by ``time.monotonic``."""
    return math.inf if timeout_s is None else time.monotonic() + timeout_s
