"""What TensorFlow's C++ prints on stderr although all is well, left out.

Owns the list of those lines and the filter. Everything that is not on the list is passed on, above all what a process
says before it aborts, such as that its processor lacks an instruction: so the filter is a process of its own, which
outlives this one.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# None of them obeys TF_CPP_MIN_LOG_LEVEL: https://github.com/tensorflow/tensorflow/issues/100442
_KNOWN = (
    r"WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$",
    r"I0000 .*\] oneDNN custom operations are on\. ",
    r"INFO: Created TensorFlow Lite XNNPACK delegate for CPU\.$",
)
_FILTER = """
import re, sys
known = re.compile(sys.argv[1].encode())
for line in sys.stdin.buffer:
    if not known.match(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


@contextlib.contextmanager
def left_out() -> Iterator[None]:
    """While it lasts, stderr of the whole process, C++ included, goes through the filter line by line."""
    sys.stderr.flush()
    command = [sys.executable, "-I", "-S", "-c", _FILTER, "|".join(_KNOWN)]
    # A session of its own: Ctrl-C is for this process, whose last words the filter still has to pass on.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as passing_on:
        stderr = os.dup(2)
        try:
            os.dup2(passing_on.stdin.fileno(), 2)  # type: ignore[union-attr] # there is one: PIPE
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
