"""Deploys one environment of samconfig.toml, without a terminal: ``python -m deploy STAGE``.

Owns nothing but the order: what must be there is looked at before anything is built (``ready``), the image is pushed
unless it is there (``image``), and SAM deploys exactly that one.
"""

from __future__ import annotations

import os
import platform
import sys

from deploy import image, program, ready

_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def main(arguments: list[str]) -> int:
    """Deploys the named stage, dev without a name; what the process should exit with."""
    return program.exit_code(arguments[0] if arguments and arguments[0] else "dev", _deploy, "{stack} was not deployed")


def _deploy(environment: ready.Environment) -> int:
    ready.check_docker()
    session = ready.account()
    wanted = environment.parameters["Architecture"]
    if _MACHINES.get(platform.machine()) != wanted:
        print(f"Docker emulates {wanted} on this machine, which takes long; see Architecture.", file=sys.stderr)
    published = image.published(environment, session)
    # What CloudFormation becomes, where whoever deploys may not make all of it: deploy/github-oidc.yaml.
    role = os.environ.get("EXECUTION_ROLE_ARN")
    as_role = ("--role-arn", role) if role else ()
    pushed = ("--image-repository", published.repository, "--no-confirm-changeset", *as_role)
    image.sam("deploy", "--config-env", environment.name, *pushed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
