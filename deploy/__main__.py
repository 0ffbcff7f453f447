"""Deploys one environment of samconfig.toml, without a terminal: ``python -m deploy STAGE``.

Owns nothing but the order: what must be there is looked at before anything is built (``ready``), the image is pushed
unless it is there (``image``), and SAM deploys exactly that one.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from botocore.exceptions import BotoCoreError, ClientError

from deploy import image, ready

_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def main(arguments: list[str]) -> int:
    """Deploys the named stage, dev without a name; what the process should exit with."""
    try:
        environment = ready.environment(arguments[0] if arguments and arguments[0] else "dev")
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
    except ready.NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError, FileNotFoundError) as error:
        print(f"{environment.stack} was not deployed: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:  # it has said itself why
        return error.returncode or 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
