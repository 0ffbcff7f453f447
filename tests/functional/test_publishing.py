"""`make deploy`, `make publish` and `make destroy`: what SAM, Docker and AWS are asked, and what is said is missing.

AWS is a server on loopback that notes what it is asked; SAM and Docker are scripts that note their arguments.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from urllib.parse import parse_qs

import pytest

from tests.conftest import ROOT, on_loopback
from tests.functional.loopback import LoopbackServer

pytestmark = on_loopback

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/recognizer"
DIGEST = f"sha256:{'ab' * 32}"
IMAGE_ID = f"sha256:{'0123456789abcdef' * 4}"
TAG = "litert-amd64-0123456789ab"


class Cloud:
    """AWS, as far as it is asked here.

    Attributes:
        asked: the name of each call, with its parameters.
        is_there: whether the image is in the repository.
        severities: what the scan found.
        scan: its status.
        refuses: whether nobody may push.
        stack: its status, None where there is none; ``after_deletion`` is what it becomes.
    """

    def __init__(self):
        self.asked, self.is_there, self.severities, self.has_repository = [], False, {}, True
        self.refuses, self.scan = False, "COMPLETE"
        self.stack, self.after_deletion = "CREATE_COMPLETE", None
        self.server = LoopbackServer({"/": self._route})

    def calls(self):
        return [name for name, _ in self.asked]

    def _route(self, exchange):
        body = exchange.rfile.read(int(exchange.headers.get("Content-Length", 0)))
        target = exchange.headers.get("X-Amz-Target")
        if target is None:
            given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.asked.append((given["Action"], given))
            exchange.answer(*getattr(self, given["Action"], self._fine)(given))
        else:
            name, given = target.rpartition(".")[2], json.loads(body)
            self.asked.append((name, given))
            status, answer = getattr(self, name)(given)
            exchange.answer(status, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.1"})

    def _fine(self, given):
        name = given["Action"]
        return 200, f"<{name}Response><{name}Result/></{name}Response>".encode()

    def DescribeStacks(self, given):  # noqa: N802 - as AWS calls it
        if self.stack is None:
            gone = "<Code>ValidationError</Code><Message>Stack does not exist</Message>"
            return 400, f"<ErrorResponse><Error>{gone}</Error></ErrorResponse>".encode()
        member = f"<member><StackName>{given['StackName']}</StackName><StackStatus>{self.stack}</StackStatus></member>"
        result = f"<DescribeStacksResult><Stacks>{member}</Stacks></DescribeStacksResult>"
        return 200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>".encode()

    def DeleteStack(self, given):  # noqa: N802
        self.stack = self.after_deletion
        return self._fine(given)

    def DescribeRepositories(self, given):  # noqa: N802
        if not self.has_repository:
            return 400, {"__type": "RepositoryNotFoundException", "message": "there is none"}
        return 200, {"repositories": [{"repositoryUri": REPOSITORY}]}

    def DescribeImages(self, given):  # noqa: N802
        if not self.is_there:
            self.is_there = True  # it is pushed next
            return 400, {"__type": "ImageNotFoundException", "message": "not yet"}
        return 200, {"imageDetails": [{"imageDigest": DIGEST, "imageTags": [given["imageIds"][0]["imageTag"]]}]}

    def GetAuthorizationToken(self, given):  # noqa: N802
        if self.refuses:
            return 400, {"__type": "AccessDeniedException", "message": "not you"}
        token = base64.b64encode(b"AWS:s3cr3t-of-the-registry").decode()
        return 200, {"authorizationData": [{"authorizationToken": token}]}

    def DescribeImageScanFindings(self, given):  # noqa: N802
        names = [
            {"name": f"CVE-2026-{number}", "severity": "CRITICAL"}
            for number in range(self.severities.get("CRITICAL", 0))
        ]
        if self.scan == "ACTIVE":  # Amazon Inspector's
            names = [{"packageVulnerabilityDetails": {"vulnerabilityId": each.pop("name")}, **each} for each in names]
        kind = "enhancedFindings" if self.scan == "ACTIVE" else "findings"
        found = {"findingSeverityCounts": self.severities, kind: names}
        return 200, {"imageScanStatus": {"status": self.scan}, "imageScanFindings": found}


@pytest.fixture
def cloud():
    running = Cloud()
    yield running
    running.server.close()


@pytest.fixture
def run(cloud, tmp_path, monkeypatch):
    """Runs one of the commands in a copy of the project; ``run.commands()`` is what SAM and Docker were called with."""
    notes = tmp_path / "commands"
    notes.touch()
    inspect = f'case "$*" in *Architecture*) echo amd64;; *Id*) echo {IMAGE_ID};; esac'
    for name, script in {
        "docker": f'cat >/dev/null </dev/stdin; [ "$1" = image ] && {inspect}; true',
        "sam": f'[ -t 0 ] && echo terminal >> {notes}; exit "${{SAM_EXITS:-0}}"',
    }.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {notes}\n{script}\n', encoding="utf-8")
        program.chmod(0o755)
    project = tmp_path / "project"
    (project / ".aws-sam" / "build").mkdir(parents=True)
    (project / "deploy").mkdir()
    preparing = project / "src" / "Recognizer" / "model_build" / "__main__.py"
    preparing.parent.mkdir(parents=True)
    preparing.write_text(
        "import os\n"
        "told = ' '.join(os.environ[name] for name in ('MODEL_URL', 'MODEL_SHA256', 'ENGINE'))\n"
        f"open({str(notes)!r}, 'a').write(f'model_build {{told}}\\n')\n",
        encoding="utf-8",
    )
    for path in (ROOT / "deploy").glob("*.py"):
        (project / "deploy" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (project / "samconfig.toml").write_text(
        'version = 0.1\n[default.global.parameters]\nstack_name = "recognizer-dev"\n'
        '[default.global.parameters.parameter_overrides]\nStage = "dev"\nEngine = "litert"\nProject = "recognizer"\n'
        'Architecture = "x86_64"\n'
        '[prod.global.parameters]\nstack_name = "recognizer-prod"\n'
        '[prod.global.parameters.parameter_overrides]\nStage = "prod"\nEngine = "litert"\nProject = "recognizer"\n'
        'Architecture = "x86_64"\n',
        encoding="utf-8",
    )
    built = "Resources:\n  Recognizer:\n    Properties:\n      ImageUri: recognizer:litert\n"
    template = project / ".aws-sam" / "build" / "template.yaml"
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "SAM": str(tmp_path / "bin" / "sam"),
        "AWS_ENDPOINT_URL": cloud.server.url("/"),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "s3cr3t",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": "/nowhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }

    def call(command, *arguments, **changed):
        wanted = {name: value for name, value in (environment | changed).items() if value is not None}
        template.write_text(built, encoding="utf-8")  # as `sam build` does each time
        return subprocess.run(
            [sys.executable, "-m", f"deploy.{command}", *arguments],
            cwd=project,
            env=wanted,
            input="",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    call.commands = lambda: [line for line in notes.read_text(encoding="utf-8").splitlines() if line != "docker info"]
    call.project = project
    call.template = lambda: template.read_text(encoding="utf-8")
    return call


@pytest.mark.parametrize(("stage", "environment"), [((), "default"), (("dev",), "default"), (("prod",), "prod")])
def test_one_environment_is_deployed_without_questions(run, cloud, stage, environment):
    done = run("__main__", *stage)

    assert done.returncode == 0, done.stderr
    assert [line for line in run.commands() if not line.startswith("docker")] == [
        f"sam build --config-env {environment}",
        f"sam deploy --config-env {environment} --image-repository {REPOSITORY} --no-confirm-changeset",
    ]


def test_what_is_deployed_is_the_image_in_the_repository_by_its_digest(run, cloud):
    """The repository takes no tag twice, and SAM would push its own once more: it pushes no address in ECR."""
    for _ in range(2):
        done = run("__main__", "prod")
        assert done.returncode == 0, done.stderr
        assert f"ImageUri: {REPOSITORY}@{DIGEST}\n" in run.template()

    assert [line for line in run.commands() if "push" in line] == [f"docker push {REPOSITORY}:{TAG}"]


def test_where_a_role_is_named_cloudformation_becomes_it(run):
    assert run("__main__", "prod", EXECUTION_ROLE_ARN="arn:aws:iam::1:role/x").returncode == 0
    assert run.commands()[-1].endswith("--no-confirm-changeset --role-arn arn:aws:iam::1:role/x")


def test_a_models_address_may_come_from_the_environment(run):
    """It may hold a token, which should stand in no file."""
    assert run("__main__", "dev", MODEL_URL="https://models.example/1.tar.gz?token=x").returncode == 0

    assert run.commands()[0] == (
        "sam build --config-env default --parameter-overrides Stage=dev Engine=litert Project=recognizer "
        "Architecture=x86_64 ModelUrl=https://models.example/1.tar.gz?token=x"
    )


@pytest.mark.parametrize("is_in_samconfig", [False, True])
@pytest.mark.parametrize("command", ["__main__", "publish"])
def test_a_model_in_s3_is_prepared_here_because_the_build_of_an_image_has_no_credentials(run, command, is_in_samconfig):
    digest = "0" * 64
    model = {"MODEL_URL": "s3://bucket/1.tar.gz", "MODEL_SHA256": digest}
    if is_in_samconfig:
        samconfig = run.project / "samconfig.toml"
        both = f'ModelUrl = "s3://bucket/1.tar.gz"\nModelSha256 = "{digest}"\nStage = "dev"'
        samconfig.write_text(samconfig.read_text(encoding="utf-8").replace('Stage = "dev"', both), encoding="utf-8")
        model = {}

    done = run(command, "dev", **model)

    assert done.returncode == 0, done.stderr
    prepared, built, *_ = run.commands()
    assert prepared == f"model_build s3://bucket/1.tar.gz {digest} litert"
    assert built.startswith("sam build")
    assert "s3://" not in built
    assert ("--parameter-overrides" in built) is is_in_samconfig


@pytest.mark.parametrize("command", ["__main__", "publish"])
def test_a_failed_build_goes_nowhere(run, command):
    done = run(command, "prod", SAM_EXITS="7")

    assert done.returncode == 7
    assert "Traceback" not in done.stderr
    assert run.commands() == ["sam build --config-env prod"]


@pytest.mark.parametrize(("stage", "environment"), [((), "default"), (("prod",), "prod")])
def test_an_image_is_built_pushed_scanned_and_named_by_its_digest(run, cloud, stage, environment):
    done = run("publish", *stage)

    assert (done.returncode, done.stdout) == (0, f"{REPOSITORY}@{DIGEST}\n"), done.stderr
    sam, *docker = run.commands()
    assert sam == f"sam build --config-env {environment}"
    assert [line for line in docker if "inspect" not in line] == [
        f"docker login --username AWS --password-stdin {REPOSITORY.partition('/')[0]}",
        f"docker tag recognizer:litert {REPOSITORY}:{TAG}",
        f"docker push {REPOSITORY}:{TAG}",
    ]
    assert "DescribeImageScanFindings" in cloud.calls()
    assert not [
        secret for secret in ("s3cr3t-of", "s3cr3t") if secret in done.stdout + done.stderr + str(run.commands())
    ]


def test_an_image_that_is_there_is_not_pushed_again(run, cloud):
    cloud.is_there = True

    assert run("publish", "dev").stdout == f"{REPOSITORY}@{DIGEST}\n"
    assert not [line for line in run.commands() if "push" in line]


@pytest.mark.parametrize("scan", ["COMPLETE", "ACTIVE"])
@pytest.mark.parametrize(("severities", "code"), [({"HIGH": 2, "LOW": 1}, 0), ({"CRITICAL": 1, "HIGH": 2}, 1)])
def test_what_the_scan_finds_critical_fails(run, cloud, severities, code, scan):
    cloud.severities, cloud.scan = severities, scan
    done = run("publish", "dev")

    assert done.returncode == code
    assert "2 high" in done.stderr


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AWS_DEFAULT_REGION": None}, "No AWS region is set"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "There are no AWS credentials"),
        ({"PATH": "/nowhere"}, "There is no docker"),
    ],
)
def test_what_is_missing_is_said(run, changed, words):
    done = run("publish", "dev", **changed)

    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_accepted_by_name_does_not_fail(run, cloud):
    cloud.severities = {"CRITICAL": 2}
    accepted = run.project / "deploy" / "accepted-findings.txt"
    accepted.write_text("CVE-2026-0 no fix yet\n", encoding="utf-8")
    one_is_left = run("publish", "dev")
    accepted.write_text("CVE-2026-0 no fix yet\n\nCVE-2026-1 nothing here calls it\n", encoding="utf-8")

    assert (one_is_left.returncode, run("publish", "dev").returncode) == (1, 0)
    assert "accepted-findings.txt" in one_is_left.stderr


@pytest.mark.parametrize("command", ["__main__", "publish"])
def test_what_aws_refuses_and_a_missing_sam_are_said(run, cloud, command):
    cloud.refuses = True
    refused, without_sam = run(command, "dev"), run(command, "dev", SAM="/nowhere/sam")

    assert (refused.returncode, without_sam.returncode) == (1, 1)
    assert "not you" in refused.stderr
    assert "/nowhere/sam" in without_sam.stderr
    assert "Traceback" not in refused.stderr + without_sam.stderr


def test_without_a_repository_it_says_how_to_make_it(run, cloud):
    cloud.has_repository = False
    done = run("publish", "dev")

    assert done.returncode == 1
    assert "sam deploy --template-file deploy/repository.yaml --stack-name recognizer-repository" in done.stderr


@pytest.mark.parametrize("command", ["publish", "destroy"])
def test_a_stage_that_is_none_is_told_those_there_are(run, command):
    done = run(command, "production")

    assert done.returncode == 1
    assert "it has dev, prod" in done.stderr


def test_an_environment_is_deleted_where_its_stack_is_named(run, cloud):
    done = run("destroy", "prod", "recognizer-prod")

    assert (done.returncode, done.stdout) == (0, "recognizer-prod is gone\n"), done.stderr
    assert ("DeleteStack", "recognizer-prod") in [(name, given.get("StackName")) for name, given in cloud.asked]


def test_a_stack_that_never_was_is_not_said_to_be_gone(run, cloud):
    cloud.stack = None
    done = run("destroy", "prod", "recognizer-prod")

    assert (done.returncode, done.stdout) == (1, "")
    assert "recognizer-prod was not deleted" in done.stderr
    assert "does not exist" in done.stderr
    assert "DeleteStack" not in cloud.calls()


def test_a_failed_deletion_is_said(run, cloud):
    cloud.after_deletion = "DELETE_FAILED"
    done = run("destroy", "prod", "recognizer-prod")

    assert (done.returncode, done.stdout) == (1, "")
    assert "recognizer-prod was not deleted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("named", [(), ("",), ("recognizer-dev",), ("prod",)])
def test_an_environment_is_not_deleted_by_accident(run, cloud, named):
    done = run("destroy", "prod", *named)

    assert done.returncode == 1
    assert "make destroy STAGE=prod STACK=recognizer-prod" in done.stderr
    assert cloud.asked == []
