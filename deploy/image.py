"""The image of one environment: built by SAM, pushed where it is not there yet, named by its digest.

Owns the tag: the engine, the architecture and the image's own digest. So a tag says what is in it, the same image never
gets a second one, and another image never the same; the repository takes no tag twice.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy import ready

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.session import Session

_SAM = os.environ.get("SAM") or str(Path(sys.executable).with_name("sam"))
_TEMPLATE = ready.ROOT / ".aws-sam" / "build" / "template.yaml"
_IMAGE = re.compile(r"^( +ImageUri: )([a-z0-9._/-]+:([a-z]+))$", re.MULTILINE)
_DIGEST_CHARS = 12


@dataclass(frozen=True, slots=True)
class Published:
    """An image in the repository.

    Attributes:
        repository: its address, REGISTRY/NAME.
        tag: one word for it.
        digest: what it is, ``sha256:…``.
    """

    repository: str
    tag: str
    digest: str

    @property
    def address(self) -> str:
        """Where exactly this image is."""
        return f"{self.repository}@{self.digest}"


def published(environment: ready.Environment, session: Session) -> Published:
    """Builds an environment's image, pushes it unless it is there, and names it in the template that SAM built.

    `sam deploy` pushes no image that a template names by an address in ECR.

    Raises:
        NotReadyError: there is no repository, or SAM built no image.
        subprocess.CalledProcessError: SAM or Docker failed, and said why.
    """
    repository = ready.repository(session, environment.parameters["Project"])
    sam("build", "--config-env", environment.name, *_of_model(environment.parameters))
    template = _TEMPLATE.read_text(encoding="utf-8")
    found = {(name, engine) for _, name, engine in _IMAGE.findall(template)}
    if len({_digest(name) for name, _ in found}) != 1:
        raise ready.NotReadyError(f"{_TEMPLATE} names {len(found)} images; one is deployed.")
    name, engine = min(found)
    tag = f"{engine}-{_inspected(name, '{{.Architecture}}')}-{_digest(name)[:_DIGEST_CHARS]}"
    image = Published(repository, tag, _pushed(session, name, repository, tag))
    _TEMPLATE.write_text(_IMAGE.sub(rf"\g<1>{image.address}", template), encoding="utf-8")
    return image


def _of_model(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """How `sam build` is told another model than samconfig.toml says; one in S3 is prepared here first.

    The build of an image has no credentials, but takes what lies in src/Recognizer/model where no address is named.
    """
    told = {"ModelUrl": "MODEL_URL", "ModelSha256": "MODEL_SHA256"}
    model = {name: os.environ.get(variable) or parameters.get(name, "") for name, variable in told.items()}
    if model["ModelUrl"].startswith("s3://"):
        variables = {
            "MODEL_URL": model["ModelUrl"],
            "MODEL_SHA256": model["ModelSha256"],
            "ENGINE": parameters["Engine"],
        }
        _run(
            sys.executable,
            "-m",
            "model_build",
            more={**variables, "PYTHONPATH": str(ready.ROOT / "src" / "Recognizer")},
        )
        model = dict.fromkeys(told, "")
    if all(parameters.get(name, "") == value for name, value in model.items()):
        return ()
    # The command line replaces the whole list.
    return ("--parameter-overrides", *(f"{name}={value}" for name, value in {**parameters, **model}.items() if value))


def sam(*arguments: str) -> None:
    """Runs SAM.

    Raises:
        subprocess.CalledProcessError: it failed, and said why.
    """
    _run(_SAM, *arguments)


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


def _run(*command: str, given: str = "", quiet: bool = False, more: Mapping[str, str] | None = None) -> str:
    """Runs a command, what it says going to our errors unless it is wanted; what it said on its output."""
    done = subprocess.run(
        command,
        cwd=ready.ROOT,
        env={"SAM_CLI_TELEMETRY": "0", **os.environ, **(more or {})},
        input=given,
        stdout=subprocess.PIPE if quiet else sys.stderr,
        text=True,
        check=True,
    )
    return done.stdout if quiet else ""
