"""Deletes one environment: ``python -m deploy.destroy STAGE STACK``, the stack's name being the proof that it is meant.

Not by `sam delete`, which also deletes the image that the stack's template names: another environment may run the very
same one. Images go by the repository's lifecycle rule.
"""

from __future__ import annotations

import sys
from functools import partial

from deploy import program, ready


def main(arguments: list[str]) -> int:
    """Deletes the stack of a stage where both names fit; what the process should exit with."""
    stage, named = (*arguments, "", "")[:2]
    return program.exit_code(stage, partial(_destroy, stage, named), "{stack} was not deleted")


def _destroy(stage: str, named: str, environment: ready.Environment) -> int:
    _require_meant(stage, environment.stack, named)
    cloudformation = ready.account().client("cloudformation")
    # The deletion of a stack that is not there would succeed.
    cloudformation.describe_stacks(StackName=environment.stack)
    cloudformation.delete_stack(StackName=environment.stack)
    print(f"{environment.stack} is being deleted", file=sys.stderr)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=environment.stack)
    print(f"{environment.stack} is gone")
    return 0


def _require_meant(stage: str, stack: str, named: str) -> None:
    if named != stack:
        raise ready.NotReadyError(
            f"This deletes {stack} with its logs, alarms and address. If that is meant: "
            f"make destroy STAGE={stage} STACK={stack}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
