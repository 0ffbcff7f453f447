"""What the process is told before it imports anything large.

Owns two settings, of the interpreter and of the allocator, that make starting and answering faster and change no
result.
"""

from __future__ import annotations

import ctypes
import gc

# glibc's mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 256 * 1024 * 1024
_MMAP_FROM_BYTES = 32 * 1024 * 1024  # the most that glibc takes on 64 bits
_ARENAS = 2  # each keeps freed memory for itself, and there would be one for each thread


def begin() -> None:
    """To be called first: collects no garbage while loading, and keeps freed memory.

    Loading makes hundreds of thousands of objects that all stay; looking through them again and again takes a fifth of
    the start. And the pictures of one request are given back to the system only to be faulted in again by the next.
    """
    gc.disable()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _MMAP_FROM_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_ARENA_MAX, _ARENAS)


def finish() -> None:
    """To be called when all is loaded: what is there now is never looked at again, garbage is collected as usual."""
    gc.freeze()
    gc.enable()
