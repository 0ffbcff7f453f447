"""Lambda SnapStart: what is done before a snapshot of the started service is taken, and after it is restored.

Owns when, and the randomness that no two instances may share. A snapshot is taken once for each published version, and
every instance starts as a copy of it: what is done before costs no request anything, and what must not be the same in
two instances, or does not outlive the time between them, is made anew after. What that is, is handed in.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html

Processes are part of a snapshot, and so are the connections to them: the workers of the sandbox go on, and one that
does not is replaced as after any other end.
"""

from __future__ import annotations

import os
import random
import ssl
from typing import TYPE_CHECKING

from recognizer.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Hook = Callable[[], object]

_ENTROPY_BYTES = 32


def register(*, before: Iterable[Hook], after: Iterable[Hook]) -> None:
    """Has the runtime client call these, in this order; fresh randomness comes first after a restore.

    Raises:
        StartupError: there is no runtime client that would.
    """
    try:
        import snapshot_restore_py as runtime  # noqa: PLC0415 - only where there are snapshots; the base image has it
    except ImportError as error:
        raise StartupError(
            "Lambda takes a snapshot of this function (SnapStart), but nothing here says when: there is no "
            "snapshot_restore_py. Build the image from Lambda's own base image, or turn SnapStart off."
        ) from error
    for hook in reversed([*before]):  # the runtime client calls the last one that was registered first
        runtime.register_before_snapshot(hook)
    for hook in (_renew_randomness, *after):
        runtime.register_after_restore(hook)


def _renew_randomness() -> None:
    """Else every instance would draw the same numbers, and agree on the same keys with different servers."""
    random.seed()
    # Lambda's own OpenSSL notices by itself; to stir in what the kernel has costs nothing where it does not have to be.
    ssl.RAND_add(os.urandom(_ENTROPY_BYTES), _ENTROPY_BYTES)
