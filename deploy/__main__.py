"""Deploys one environment of samconfig.toml, without a terminal: ``python -m deploy STAGE``.

Owns what must be there before SAM is asked (an environment of that name, Docker, a region, credentials, a repository
for the image), and one sentence for each that is missing. SAM builds, pushes and deploys.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_ROOT = Path(__file__).resolve().parent.parent
_SAM = os.environ.get("SAM") or str(Path(sys.executable).with_name("sam"))
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class NotReadyError(Exception):
    """Something is missing; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Deploys the named environment, dev without a name; what the process should exit with."""
    stage = arguments[0] if arguments and arguments[0] else "dev"
    try:
        environment, parameters = _environment(stage)
        _check_docker()
        session = boto3.session.Session()
        _check_account(session)
        repository = _repository(session, parameters["Project"])
    except NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    wanted = parameters["Architecture"]
    if _MACHINES.get(platform.machine()) != wanted:
        print(f"Docker emulates {wanted} on this machine, which takes long; see Architecture.", file=sys.stderr)
    _sam("build", "--config-env", environment)
    _sam("deploy", "--config-env", environment, "--image-repository", repository, "--no-confirm-changeset")
    return 0


def _environment(stage: str) -> tuple[str, dict[str, str]]:
    """SAM's name for a stage, and its parameters."""
    config: dict[str, Any] = tomllib.loads((_ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    config.pop("version")
    by_stage = {}
    for environment, commands in config.items():
        parameters = commands["global"]["parameters"]["parameter_overrides"]
        by_stage[parameters["Stage"]] = environment, parameters
    if stage not in by_stage:
        raise NotReadyError(
            f"samconfig.toml has no stage {stage!r}; it has {', '.join(by_stage)}: make deploy STAGE=dev"
        )
    return by_stage[stage]


def _check_docker() -> None:
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise NotReadyError("There is no docker on this machine, which builds the image. Install Docker.") from error
    except subprocess.CalledProcessError as error:
        raise NotReadyError(
            "No Docker engine answers, which builds the image. Start it; `docker info` says more."
        ) from error


def _check_account(session: boto3.session.Session) -> None:
    if not session.region_name:
        raise NotReadyError("No AWS region is set: AWS_DEFAULT_REGION=eu-central-1, or `aws configure`.")
    try:
        has_credentials = session.get_credentials() is not None
        if has_credentials:
            session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(f"AWS does not take these credentials: {error}") from error
    if not has_credentials:
        raise NotReadyError("There are no AWS credentials: `aws configure`, `aws sso login`, or AWS_PROFILE=….")


def _repository(session: boto3.session.Session, name: str) -> str:
    """The address of the repository for images, which is made where it is missing."""
    ecr = session.client("ecr")
    try:
        try:
            found = ecr.describe_repositories(repositoryNames=[name])
        except ecr.exceptions.RepositoryNotFoundException:
            template = ("--template-file", str(_ROOT / "deploy" / "repository.yaml"), "--resolve-s3")
            options = ("--parameter-overrides", f"Project={name}", "--no-fail-on-empty-changeset")
            _sam("deploy", "--stack-name", f"{name}-repository", *template, *options)
            found = ecr.describe_repositories(repositoryNames=[name])
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(f"The repository for images cannot be looked up: {error}") from error
    return str(found["repositories"][0]["repositoryUri"])


def _sam(*arguments: str) -> None:
    done = subprocess.run([_SAM, *arguments], cwd=_ROOT, env={"SAM_CLI_TELEMETRY": "0", **os.environ}, check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
