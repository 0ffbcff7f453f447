"""Builds, scans and pushes the image of one environment, and prints where it is: ``python -m deploy.publish STAGE``.

For those who deploy by other means than SAM, and for the pipeline, which lets nothing into an environment in which
ECR's scan finds something critical. Owns the tag: the engine, the architecture and the image's own digest. So a tag
says what is in it, the same image never gets a second one, and another image never the same.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from deploy import ready

if TYPE_CHECKING:
    from boto3.session import Session

_SAM = os.environ.get("SAM") or str(Path(sys.executable).with_name("sam"))
_BUILT = ready.ROOT / ".aws-sam" / "build" / "template.yaml"
_DIGEST_CHARS = 12
_WORST = "CRITICAL"


def main(arguments: list[str]) -> int:
    """Publishes for the named stage, dev without a name; what the process should exit with."""
    try:
        environment = ready.environment(arguments[0] if arguments and arguments[0] else "dev")
        ready.check_docker()
        session = ready.account()
        repository = ready.repository(session, environment.parameters["Project"])
        _run(_SAM, "build", "--config-env", environment.name)
        engine, image = _built()
        tag = f"{engine}-{_inspected(image, '{{.Architecture}}')}-{_digest(image)[:_DIGEST_CHARS]}"
        digest = _pushed(session, image, repository, tag)
        findings = _findings(session, repository, digest)
    except ready.NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:  # it has said itself why
        return error.returncode or 1
    print(f"{repository}@{digest}")
    told = ", ".join(f"{count} {severity.lower()}" for severity, count in findings.items()) or "nothing"
    print(f"tag {tag}; ECR's scan found {told}", file=sys.stderr)
    return 1 if findings[_WORST] else 0


def _built() -> tuple[str, str]:
    """The engine and the local name of the image that `sam build` made."""
    name = re.search(r"^ +ImageUri: ([a-z0-9._/-]+:([a-z]+))$", _BUILT.read_text(encoding="utf-8"), re.MULTILINE)
    if name is None:
        raise ready.NotReadyError(f"{_BUILT} names no image.")
    return name[2], name[1]


def _digest(image: str) -> str:
    return _inspected(image, "{{.Id}}").removeprefix("sha256:")


def _inspected(image: str, what: str) -> str:
    return _run("docker", "image", "inspect", "--format", what, image, quiet=True).strip()


def _pushed(session: Session, image: str, repository: str, tag: str) -> str:
    """The digest of the image in the repository, where it is pushed unless it is there."""
    ecr = session.client("ecr")
    name = repository.partition("/")[2]
    wanted: dict[str, Any] = {"repositoryName": name, "imageIds": [{"imageTag": tag}]}
    try:
        found = ecr.describe_images(**wanted)
    except ecr.exceptions.ImageNotFoundException:
        login = ecr.get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(login["authorizationToken"]).decode().partition(":")
        registry = repository.partition("/")[0]
        _run("docker", "login", "--username", user, "--password-stdin", registry, given=password)
        _run("docker", "tag", image, f"{repository}:{tag}")
        _run("docker", "push", f"{repository}:{tag}")
        found = ecr.describe_images(**wanted)
    return str(found["imageDetails"][0]["imageDigest"])


def _findings(session: Session, repository: str, digest: str) -> Counter[str]:
    """How many findings of each severity ECR's scan of an image has."""
    ecr = session.client("ecr")
    scanned: dict[str, Any] = {"repositoryName": repository.partition("/")[2], "imageId": {"imageDigest": digest}}
    try:
        ecr.get_waiter("image_scan_complete").wait(**scanned)
        found = ecr.describe_image_scan_findings(**scanned)
    except (ClientError, WaiterError) as error:
        raise ready.NotReadyError(f"The image is pushed, but there is no scan of it: {error}") from error
    return Counter(found["imageScanFindings"].get("findingSeverityCounts", {}))


def _run(*command: str, given: str | None = None, quiet: bool = False) -> str:
    """Runs a command, what it says going to our errors unless it is wanted; what it said on its output."""
    done = subprocess.run(
        command,
        cwd=ready.ROOT,
        env={"SAM_CLI_TELEMETRY": "0", **os.environ},
        input=given,
        stdout=subprocess.PIPE if quiet else sys.stderr,
        text=True,
        check=True,
    )
    return done.stdout if quiet else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
