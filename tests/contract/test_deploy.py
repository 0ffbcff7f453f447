"""`make deploy` says in one sentence what is missing before anything is built."""

from __future__ import annotations

import json
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from tests.conftest import ROOT, on_loopback

REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/recognizer"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = {"AWS_DEFAULT_REGION": "eu-central-1"}


@pytest.fixture
def deploy(tmp_path):
    """Runs the program with nothing in its environment but what is given."""

    def run(*arguments, **environment):
        nowhere = str(tmp_path / "none")
        own = {"PATH": f"{tmp_path}/bin", "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
        own |= {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
        return subprocess.run(
            [sys.executable, "-m", "deploy", *arguments],
            cwd=ROOT,
            env=own | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def refusal(done):
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    [sentence] = done.stderr.splitlines()
    return sentence


def test_an_unknown_stage_is_told_which_there_are(deploy):
    assert "no stage 'production'; it has dev, stage, prod" in refusal(deploy("production"))


def test_no_docker_is_said(deploy, program):
    assert "Install Docker" in refusal(deploy("prod"))
    program("docker", "exit 1")
    assert "No Docker engine answers" in refusal(deploy("prod"))


def test_no_region_is_said(deploy, program):
    program("docker", "exit 0")

    assert "No AWS region is set" in refusal(deploy("prod", **CREDENTIALS))


def test_no_credentials_are_said(deploy, program):
    program("docker", "exit 0")

    assert "There are no AWS credentials" in refusal(deploy("prod", **REGION))


class Account(BaseHTTPRequestHandler):
    """The two calls of an AWS account, at its edge."""

    refuses = False
    repositories: tuple[str, ...] = ("recognizer",)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" in self.headers:
            names = json.loads(body)["repositoryNames"]
            known = set(names) <= set(self.repositories)
            answer = (
                {"repositories": [{"repositoryUri": REPOSITORY}]}
                if known
                else {"__type": "RepositoryNotFoundException"}
            )
            self._answer(200 if known else 400, "application/x-amz-json-1.1", json.dumps(answer))
        else:
            assert parse_qs(body.decode())["Action"] == ["GetCallerIdentity"]
            error = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>too old</Message></Error></ErrorResponse>"
            identity = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"
            self._answer(403 if self.refuses else 200, "text/xml", error if self.refuses else identity)

    def _answer(self, status, media_type, text):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def account():
    class Own(Account):
        pass

    with HTTPServer(("127.0.0.1", 0), Own) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        Own.environment = {**CREDENTIALS, **REGION, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
        yield Own
        server.shutdown()
        thread.join()


@on_loopback
def test_refused_credentials_are_said(deploy, program, account):
    program("docker", "exit 0")
    account.refuses = True

    assert "AWS does not take these credentials: " in refusal(deploy("prod", **account.environment))


@on_loopback
def test_a_missing_repository_is_said_with_the_command_that_makes_it(deploy, program, account):
    program("docker", "exit 0")
    account.repositories = ()
    environment = account.environment | {"SAM": str(program("sam", "exit 7"))}

    sentence = refusal(deploy("prod", **environment))

    assert "sam deploy --template-file deploy/repository.yaml --stack-name recognizer-repository" in sentence
