"""What must be there before anything is deployed: an environment of that name, Docker, an account, a repository.

Owns the look at each, and one sentence for each that is missing.
"""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent


class NotReadyError(Exception):
    """Something is missing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of samconfig.toml.

    Attributes:
        name: what SAM calls it (``--config-env``); dev is its ``default``.
        stack: the stack's name.
        parameters: of template.yaml, by name.
    """

    name: str
    stack: str
    parameters: dict[str, str]


def environment(stage: str) -> Environment:
    """The environment of a stage.

    Raises:
        NotReadyError: there is none.
    """
    config: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    found = {}
    for name, commands in config.items():
        if isinstance(commands, dict):
            shared = commands["global"]["parameters"]
            parameters = shared["parameter_overrides"]
            found[parameters["Stage"]] = Environment(name, shared["stack_name"], parameters)
    if stage not in found:
        raise NotReadyError(f"samconfig.toml has no stage {stage!r}; it has {', '.join(found)}.")
    return found[stage]


def check_docker() -> None:
    """Docker answers.

    Raises:
        NotReadyError: it does not.
    """
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise NotReadyError("There is no docker on this machine, which builds the image. Install Docker.") from error
    except subprocess.CalledProcessError as error:
        raise NotReadyError("No Docker engine answers. Start it; `docker info` says more.") from error


def account() -> boto3.session.Session:
    """A session with a region and with credentials that AWS takes.

    Raises:
        NotReadyError: one of them is missing.
    """
    session = boto3.session.Session()
    if not session.region_name:
        raise NotReadyError("No AWS region is set: AWS_DEFAULT_REGION=eu-central-1, or `aws configure`.")
    if session.get_credentials() is None:
        raise NotReadyError("There are no AWS credentials: `aws configure`, `aws sso login`, or AWS_PROFILE=….")
    try:
        session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(f"AWS does not take these credentials: {error}") from error
    return session


def repository(session: boto3.session.Session, project: str) -> str:
    """The address of the repository for images.

    Raises:
        NotReadyError: there is none, or it cannot be looked up.
    """
    ecr = session.client("ecr")
    try:
        return str(ecr.describe_repositories(repositoryNames=[project])["repositories"][0]["repositoryUri"])
    except ecr.exceptions.RepositoryNotFoundException as error:
        raise NotReadyError(
            f"There is no repository {project} in {session.region_name}. Make it once: sam deploy "
            f"--template-file deploy/repository.yaml --stack-name {project}-repository --resolve-s3 "
            f"--parameter-overrides Project={project}"
        ) from error
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(f"The repository for images cannot be looked up: {error}") from error
