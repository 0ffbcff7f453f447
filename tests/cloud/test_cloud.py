"""What a deployment does, seen from outside: its answers through the alias, and what it made."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from botocore.exceptions import ClientError

from tests.container.conftest import SAMPLES

# Nobody answers there: what is allowed ends in 502, what is not in 403.
ELSEWHERE = {"url": "https://pictures.invalid/cat.jpg"}


def test_a_deployment_serves_the_page_and_the_detector(stack):
    stack.deploy()

    status, headers, body = stack.ask("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith("<!doctype html>")

    picture = base64.b64encode((SAMPLES / "cat.jpg").read_bytes()).decode()
    status, headers, body = stack.ask(
        "POST", "/detector", headers={"content-type": "application/json"}, body={"image": picture, "min_score": 0}
    )
    assert (status, headers["Content-Type"]) == (200, "application/json")
    answer = json.loads(body)
    assert answer["model"]["engine"] == "litert"
    assert (answer["image"]["width"], answer["image"]["height"]) == (451, 300)
    assert answer["detections"]


@pytest.mark.parametrize(
    ("parameters", "path", "header", "before", "after"),
    [
        ({"CacheMaxAge": "60"}, "/labels", "Cache-Control", "public, max-age=3600", "public, max-age=60"),
    ],
)
def test_a_changed_parameter_reaches_traffic(stack, parameters, path, header, before, after):
    stack.deploy()
    assert stack.ask("GET", path)[1][header] == before
    version = stack.configuration()["Version"]

    stack.deploy(**parameters)

    assert stack.ask("GET", path)[1][header] == after
    assert int(stack.configuration()["Version"]) > int(version)
    # The one before can be gone back to.
    assert stack.client("lambda").get_function(FunctionName=stack.function, Qualifier=version)


def test_a_changed_list_of_hosts_reaches_traffic(stack):
    """A text of any length: its change shows in the policy's id."""
    stack.deploy()
    assert stack.ask("POST", "/detector", body=ELSEWHERE)[0] == 502

    stack.deploy(OpenFetcher="no", AllowedUrlHosts="example.com,*.example.org")

    status, _, body = stack.ask("POST", "/detector", body=ELSEWHERE)
    assert (status, json.loads(body)["parameter"]) == (403, "url")


def test_nothing_is_published_for_nothing(stack):
    stack.deploy()
    version = stack.configuration()["Version"]

    stack.deploy(ThrottlingRate="11")

    assert stack.configuration()["Version"] == version


def test_an_open_fetcher_is_refused_unless_it_is_said_aloud(stack):
    stack.deploy()

    done = stack.deploy(OpenFetcher="no", check=False)

    assert done.returncode != 0
    assert "or say OpenFetcher=yes" in done.stdout + done.stderr
    assert stack.ask("GET", "/health")[0] == 200


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"Access": "AWS_IAM", "OpenFetcher": "no"},
        {"Access": "JWT", "JwtIssuer": "https://issuer.example", "JwtAudience": "recognizer", "OpenFetcher": "no"},
    ],
    ids=["NONE", "AWS_IAM", "JWT"],
)
def test_who_may_ask_is_told_to_the_function_and_the_page_stays_open(stack, parameters):
    stack.deploy(**parameters)

    assert stack.configuration()["Environment"]["Variables"]["ACCESS"] == parameters.get("Access", "NONE")
    assert stack.ask("GET", "/")[0] == 200
    assert stack.ask("POST", "/detector", body=ELSEWHERE)[0] == 502  # the gateway has let it through
    past_the_gateway = stack.ask("POST", "/detector", body=ELSEWHERE, route="$default")[0]
    assert past_the_gateway == (401 if parameters else 404)


def test_a_key_is_asked_for_as_soon_as_it_is_deployed(stack):
    key = "the key of this test"
    stack.deploy()
    assert stack.ask("POST", "/detector", body=ELSEWHERE)[0] == 502

    stack.deploy(Access="KEY", AccessKeySha256=hashlib.sha256(key.encode()).hexdigest(), OpenFetcher="no")

    status, headers, _ = stack.ask("POST", "/detector", body=ELSEWHERE)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert stack.ask("POST", "/detector", headers={"authorization": f"Bearer {key}"}, body=ELSEWHERE)[0] == 502
    assert stack.ask("GET", "/")[0] == 200


def test_alarms_write_to_a_topic_that_someone_reads(stack):
    stack.deploy(AlarmEmail="operator@example.com")

    topic = stack.resources()["AlarmTopic"]
    assert stack.client("kms").get_key_rotation_status(KeyId=stack.resources()["AlarmKey"])["KeyRotationEnabled"]
    [subscription] = stack.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operator@example.com")
    alarms = stack.client("cloudwatch").describe_alarms(AlarmNamePrefix="recognizer-dev-")["MetricAlarms"]
    assert len(alarms) == 5
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [topic] for alarm in alarms)


def test_the_distribution_in_front_and_the_function_share_a_secret(stack):
    stack.deploy(CloudFront="yes", WebAclArn="none")

    secret = stack.configuration()["Environment"]["Variables"]["ORIGIN_SECRET"]
    assert len(secret) == 64
    distribution = stack.client("cloudfront").get_distribution(Id=stack.resources()["Distribution"])
    [origin] = distribution["Distribution"]["DistributionConfig"]["Origins"]["Items"]
    [header] = origin["CustomHeaders"]["Items"]
    assert header == {"HeaderName": "X-Origin-Secret", "HeaderValue": secret}
    assert stack.ask("GET", "/")[0] == 403
    assert stack.ask("GET", "/", headers={"x-origin-secret": secret})[0] == 200


def test_everything_carries_the_tags_and_goes_with_the_stack(stack):
    stack.deploy()
    tags = stack.client("lambda").list_tags(
        Resource=stack.client("lambda").get_function(FunctionName=stack.function)["Configuration"]["FunctionArn"]
    )["Tags"]
    assert {"Project": "recognizer", "Stage": "dev"}.items() <= tags.items()

    stack.sam("delete", "--no-prompts", "--region", "us-east-1")

    with pytest.raises(ClientError, match="does not exist"):
        stack.client("cloudformation").describe_stacks(StackName=stack.name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        stack.client("lambda").get_function(FunctionName=stack.function)
    assert not stack.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/recognizer-dev")["logGroups"]
    assert not stack.client("cloudwatch").describe_alarms(AlarmNamePrefix="recognizer-dev-")["MetricAlarms"]
