"""A cloud on this machine: the whole template, deployed by `sam deploy` to ministack, with real Lambda containers.

Everything happens in a copy of the project with a tiny model; traffic stays on loopback. Needs a Docker engine and the
Lambda base image, and ministack in an environment of its own (`make cloud` makes it).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

from tests.container.conftest import SAM, docker, free_port, project, run

__all__ = ["docker", "project"]

MINISTACK = os.environ.get("MINISTACK", Path(sys.prefix) / "cloud" / "bin" / "ministack")
ACCOUNT, REGION = "000000000000", "us-east-1"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/recognizer"
# What ministack 1.5 does not know. Nothing else depends on it.
UNKNOWN = {"AWS::Logs::QueryDefinition", "AWS::Budgets::Budget"}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("cloud")
            item.add_marker("enable_socket")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """The environment of programs that talk to the local cloud: an endpoint, and credentials that open nothing."""
    folder = tmp_path_factory.mktemp("ministack")
    port = str(free_port())
    # An address of this machine alone that containers reach, too: a worker asks for pictures and messages.
    network = run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    host = network.stdout.strip()
    own = {"GATEWAY_PORT": port, "BIND_HOST": host, "LAMBDA_EXECUTOR": "docker"}
    own |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    own |= {"S3_DATA_DIR": str(folder / "s3"), "STATE_DIR": str(folder / "state"), "TMPDIR": str(folder)}
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "SAM_CLI_TELEMETRY": "0",
        "DOCKER_BUILDKIT": "0",
    }
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen([MINISTACK], env=os.environ | own, stdout=output, stderr=output)
    try:
        client = client_of(variables, "sts")
        for _ in range(300):
            assert process.poll() is None, log.read_text()
            try:
                assert client.get_caller_identity()["Account"] == ACCOUNT
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
            else:
                break
        else:
            pytest.fail(f"ministack does not answer:\n{log.read_text()}")
        yield variables
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def stack(project, cloud, docker):
    """The project, built with LiteRT and ready to be deployed; what is left of it goes at the end."""
    stack = Stack(project, cloud)
    stack.build()
    yield stack
    stack.delete()


class Stack:
    """One environment of samconfig.toml, in the local cloud."""

    name = "recognizer-dev"
    function = "recognizer-dev"

    def __init__(self, project, cloud):
        self._project = project
        self._cloud = cloud
        self._samconfig = project / "samconfig.toml"
        self._as_committed = self._samconfig.read_text(encoding="utf-8")

    def client(self, service):
        return client_of(self._cloud, service)

    def sam(self, *arguments, check=True):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | self._cloud
        done = subprocess.run(
            (SAM, *arguments),
            cwd=self._project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{arguments}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done

    def set(self, **parameters):
        """samconfig.toml as committed, but for LiteRT and these parameters: one word each, in dev's list, the first."""
        text = self._as_committed
        for name, value in {"Engine": "litert", **parameters}.items():
            text, replaced = re.subn(rf'^{name} = "[^"]*"', f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
            assert replaced, name
        self._samconfig.write_text(text, encoding="utf-8")

    def build(self):
        """No registry to push to: the cloud runs the local image, under the name that a pushed one would have."""
        self.set()
        self.sam("build")
        built = self._project / ".aws-sam" / "build" / "template.yaml"
        template = yaml_parse(built.read_text(encoding="utf-8"))
        functions = {name: template["Resources"][name]["Properties"] for name in ("Recognizer", "UploadsWorker")}
        assert {function["ImageUri"] for function in functions.values()} == {"recognizer:litert"}  # one image for both
        run("docker", "tag", "recognizer:litert", f"{REPOSITORY}:test")
        for function in functions.values():
            function["ImageUri"] = f"{REPOSITORY}:test"
        # ministack 1.5 takes a number there, no reference to one.
        template["Resources"]["UploadsMapping"]["Properties"]["ScalingConfig"] = {"MaximumConcurrency": 2}
        # What fails is handed out again after this time, five times: here not after an hour.
        template["Resources"]["UploadsQueue"]["Properties"]["VisibilityTimeout"] = 20
        template["Resources"] = {
            name: resource for name, resource in template["Resources"].items() if resource["Type"] not in UNKNOWN
        }
        built.write_text(yaml_dump(template), encoding="utf-8")

    def deploy(self, *, check=True, **parameters):
        """`sam deploy` as without a terminal, with some parameters changed in samconfig.toml."""
        self.set(**parameters)
        options = ("--image-repository", REPOSITORY, "--no-confirm-changeset")
        return self.sam("deploy", *options, check=check)

    def delete(self):
        self.sam("delete", "--no-prompts", "--region", REGION, check=False)
        run("docker", "image", "rm", "--force", f"{REPOSITORY}:test", check=False)

    def ask(self, method, path, *, headers=None, body=None, route=None):
        """The answer to a request through the alias, as a gateway would send it: status, headers, body."""
        event = {
            "version": "2.0",
            "routeKey": route or f"{method} {path}",
            "rawPath": path,
            "rawQueryString": "",
            "headers": headers or {},
            "queryStringParameters": {},
            "requestContext": {"stage": "$default", "http": {"method": method, "path": path}},
            "isBase64Encoded": False,
            **({"body": json.dumps(body)} if body is not None else {}),
        }
        done = self.client("lambda").invoke(
            FunctionName=self.function, Qualifier="live", Payload=json.dumps(event).encode()
        )
        answer = json.loads(done["Payload"].read())
        assert "FunctionError" not in done, answer
        return answer["statusCode"], answer["headers"], answer["body"]

    def configuration(self):
        """What the version behind the alias is made of."""
        return self.client("lambda").get_function_configuration(FunctionName=self.function, Qualifier="live")

    def resources(self):
        """Physical ids by logical id."""
        found = self.client("cloudformation").describe_stack_resources(StackName=self.name)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


def client_of(cloud, service):
    return boto3.client(
        service,
        endpoint_url=cloud["AWS_ENDPOINT_URL"],
        region_name=cloud["AWS_DEFAULT_REGION"],
        aws_access_key_id=cloud["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 0}, read_timeout=120),
    )
