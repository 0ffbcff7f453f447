"""Deploys one environment of samconfig.toml, without a terminal: ``python -m deploy STAGE``.

Owns nothing but the order: what must be there is looked at before anything is built (``ready``); SAM builds, pushes and
deploys.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from deploy import ready

_SAM = os.environ.get("SAM") or str(Path(sys.executable).with_name("sam"))
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def main(arguments: list[str]) -> int:
    """Deploys the named stage, dev without a name; what the process should exit with."""
    try:
        environment = ready.environment(arguments[0] if arguments and arguments[0] else "dev")
        ready.check_docker()
        repository = ready.repository(ready.account(), environment.parameters["Project"])
    except ready.NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    wanted = environment.parameters["Architecture"]
    if _MACHINES.get(platform.machine()) != wanted:
        print(f"Docker emulates {wanted} on this machine, which takes long; see Architecture.", file=sys.stderr)
    named = ("--config-env", environment.name)
    # What CloudFormation becomes, where whoever deploys may not make all of it: deploy/github-oidc.yaml.
    role = os.environ.get("EXECUTION_ROLE_ARN")
    as_role = ("--role-arn", role) if role else ()
    pushed = ("--image-repository", repository, "--no-confirm-changeset", *as_role)
    return _sam("build", *named) or _sam("deploy", *named, *pushed)


def _sam(*arguments: str) -> int:
    variables = {"SAM_CLI_TELEMETRY": "0", **os.environ}
    return subprocess.run([_SAM, *arguments], cwd=ready.ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
