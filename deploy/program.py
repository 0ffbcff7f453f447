"""What every program here does: reads its environment, works on it, and says in a sentence why it could not."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from deploy import ready

if TYPE_CHECKING:
    from collections.abc import Callable


def exit_code(stage: str, work: Callable[[ready.Environment], int], undone: str) -> int:
    """What the process should exit with.

    Args:
        stage: the environment of samconfig.toml to work on.
        work: what is done with it; gives what to exit with.
        undone: what is said where AWS or a program that is missing ends the work, ``{stack}`` being the stack's name.
    """
    try:
        environment = ready.environment(stage)
        try:
            return work(environment)
        except (BotoCoreError, ClientError, FileNotFoundError) as error:
            print(f"{undone.format(stack=environment.stack)}: {error}", file=sys.stderr)
            return 1
    except ready.NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:  # it has said itself why
        return error.returncode or 1
