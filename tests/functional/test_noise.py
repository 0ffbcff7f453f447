"""What is left out of stderr is what TensorFlow prints although all is well, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

NOISE = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1.2    3 port.cc:153] oneDNN custom operations are on. You may see slightly different results",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
)
WORDS = (
    "F0000 00:00:1.2    3 port.cc:1] The TensorFlow library was compiled to use AVX512F instructions",
    "E0000 00:00:1.2    3 port.cc:2] oneDNN custom operations are on fire",
    "WARNING: All log messages before",
    "said: INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "",
)


def said(script):
    """What a process that left out noise printed on stderr; its file descriptor 2 is what C++ writes to."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os, sys\nfrom model_build import noise\n{script}"],
        env={"PYTHONPATH": str(ROOT / "src" / "Recognizer"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr


def test_noise_is_left_out_and_the_rest_passed_on_in_order():
    lines = [line for pair in zip(WORDS, [*NOISE, *NOISE], strict=False) for line in pair]

    assert said(f"with noise.left_out():\n    os.write(2, {chr(10).join(lines).encode()!r})").splitlines() == [*WORDS]


@pytest.mark.parametrize("end", ["os.abort()", "os._exit(1)", "os.kill(os.getpid(), 9)"])
def test_last_words_before_an_abort_are_passed_on(end):
    assert said(f"with noise.left_out():\n    os.write(2, {WORDS[0].encode()!r})\n    {end}") == WORDS[0]


def test_what_python_prints_is_passed_on_and_an_error_is_raised():
    script = (
        "try:\n  with noise.left_out():\n    print('hello', file=sys.stderr)\n    1 / 0\nexcept ZeroDivisionError:\n"
    )

    assert said(f"{script}  print('after', file=sys.stderr)") == "hello\nafter\n"


def test_afterwards_nothing_is_left_out():
    assert said(f"with noise.left_out():\n    pass\nos.write(2, {NOISE[0].encode()!r})") == NOISE[0]


def test_a_real_import_is_silent():
    """Fails when a new version of TensorFlow says something new: decide whether it is noise."""
    assert said("os.environ['TF_CPP_MIN_LOG_LEVEL'] = '2'\nwith noise.left_out():\n    import tensorflow") == ""
