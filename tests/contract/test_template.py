"""The deployed stack: what each switch adds, what reaches the function, what is refused, what alarms look at."""

from __future__ import annotations

import json
import re
import tomllib
from graphlib import TopologicalSorter
from types import SimpleNamespace

import pytest
from recognizer import compat, telemetry
from recognizer.errors import InternalError
from recognizer.job import COSTLY as COSTLY_PATHS

from tests.conftest import ROOT
from tests.contract.cloudformation import PARAMETERS, TEMPLATE, Deployed

ABROAD = ("/", "/v1/{proxy+}", "/doods/{proxy+}", "/hf/{proxy+}", "/label-studio/{proxy+}", "/mcp")
OURS = {f"{method} {path}" for method in ("GET", "POST") for path in ("/detector", "/classifier")} | {"POST /uploads"}
COSTLY = OURS | {f"POST {path}" for path in ABROAD}
# Each switch, and what makes it sensible.
JWT = {"Access": "JWT", "JwtIssuer": "https://issuer.example", "JwtAudience": "recognizer"}
KEY = {"Access": "KEY", "AccessKeySha256": "0" * 64}
ACCESSES = [{"OpenFetcher": "yes"}, {"Access": "AWS_IAM"}, JWT, KEY]
FRONTS = [{}, {"CloudFront": "yes", "WebAclArn": "none"}]
ALARMS = [{}, {"AlarmEmail": "operator@example.com"}, {"AlarmEmail": "operator@example.com", "MonthlyBudget": "50"}]
SHIFTS = [{}, {"TrafficShift": "Linear10PercentEvery1Minute"}]
WARMTHS = [{}, {"SnapStart": "yes"}, {"ProvisionedConcurrency": "2"}]
REST = [
    {},
    {"Uploads": "yes"},
    {"Tracing": "Active", "ReservedConcurrency": "5", "Engine": "litert", "Architecture": "arm64"},
]
# What a switch makes; everything else is always there.
OPTIONAL = {
    "CloudFront=yes": {"OriginSecret", "AcceptFunction", "CachePolicy", "Distribution"},
    "Uploads=yes": {
        *("UploadsBucket", "UploadsBucketPolicy", "ResultsBucket", "ResultsBucketPolicy", "ReceptionPolicy"),
        *("UploadsQueue", "UploadsDeadLetters", "UploadsQueuePolicy", "UploadsMapping", "UploadsWorker"),
        *("UploadsWorkerRole", "UploadsWorkerLogs", "DeadLettersAlarm", "QueueAgeAlarm"),
    },
    "AlarmEmail=operator@example.com": {"AlarmKey", "AlarmTopic"},
    "MonthlyBudget=50": {"Budget"},
    "TrafficShift=Linear10PercentEvery1Minute": {
        "ServerlessDeploymentApplication",
        "RecognizerDeploymentGroup",
        "TrafficShiftRole",
    },
}
# Another value of each parameter whose values are not listed.
ANOTHER = {
    "Project": "detector",
    "Stage": "test",
    "ModelUrl": "https://models.example/1.tar.gz",
    "ModelSha256": "1" * 64,
    "LabelsUrl": "https://models.example/labels.txt",
    "ClassifierUrl": "https://models.example/own.keras",
    "ClassifierLabelsUrl": "https://models.example/own.txt",
    "AccessKeySha256": "2" * 64,
    "JwtIssuer": "https://issuer.example",
    "JwtAudience": "recognizer",
    "AllowedUrlHosts": "example.com,*.example.org",
    "AllowedUrlPorts": "443",
    "Compat": "all",
    "AlarmEmail": "operator@example.com",
    "WebAclArn": "none",
    "UploadsOptions": "n=5",
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/github-recognizer-dev-Boundary",
}
# Parameters that the running code or its surroundings depend on, so that traffic must get another version.
REACH_THE_FUNCTION = {
    "Project",
    "Stage",
    "Engine",
    "Architecture",
    "MemorySize",
    "SnapStart",
    "Tracing",
    "Access",
    "AccessKeySha256",
    "AllowedUrlHosts",
    "AllowedUrlPorts",
    "CacheMaxAge",
    "CloudFront",
    "Compat",
    "Uploads",
    "LogLevel",
}


def function(stack):
    """What a published version is a copy of: its concurrency is the function's alone."""
    properties = dict(stack.resources["Recognizer"]["Properties"])
    properties.pop("ReservedConcurrentExecutions", None)
    return properties


def version(stack):
    """What CloudFormation replaces a version for."""
    name, properties = stack.only("AWS::Lambda::Version")
    policy = stack.resources["RecognizerPolicy"]["Properties"]["Description"]
    return name, properties["Description"].replace("<RecognizerPolicy.PolicyId>", policy)


def another(name):
    entry = PARAMETERS[name]
    if "AllowedValues" in entry:
        return next(value for value in entry["AllowedValues"] if value != entry["Default"])
    return ANOTHER[name] if entry["Type"] == "String" else int(entry["Default"]) + 1


def named(switches):
    return ",".join(f"{name}={value}" for name, value in switches.items()) or "default"


# Combinations of switches


@pytest.mark.parametrize("access", ACCESSES, ids=named)
@pytest.mark.parametrize("front", FRONTS, ids=named)
@pytest.mark.parametrize("alarms", ALARMS, ids=named)
@pytest.mark.parametrize("shift", SHIFTS, ids=named)
@pytest.mark.parametrize("warmth", WARMTHS, ids=named)
def test_each_combination_of_switches_is_a_whole_stack(access, front, alarms, shift, warmth):
    for rest in REST:
        switches = {**access, **front, **alarms, **shift, **warmth, **rest}
        stack = Deployed(**switches)
        is_refused = front and access.get("Access") == "AWS_IAM"

        references = stack.references()
        assert set().union(*references.values()) <= stack.resources.keys()
        tuple(TopologicalSorter(references).static_order())  # raises where one waits for itself
        assert not re.search(r"'(Ref|Fn::\w+)'", str(stack.resources))
        added = set().union(*(OPTIONAL.get(f"{name}={value}", set()) for name, value in switches.items()))
        optional = set().union(*OPTIONAL.values())
        assert stack.resources.keys() & optional == added
        assert bool(stack.refusals()) is bool(is_refused)


def test_the_switches_are_named_by_conditions_that_are_used():
    text = json.dumps([TEMPLATE["Resources"], TEMPLATE["Conditions"], TEMPLATE["Outputs"]])

    assert all(f'"{name}"' in text.replace(f'"{name}": ', "", 1) for name in TEMPLATE["Conditions"])


# Parameters reach traffic


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_changed_parameter_publishes_a_version_if_it_reaches_the_function(name):
    """No version without a change of the function, either: Lambda makes none, and the deployment would fail."""
    before, after = Deployed(), Deployed(**{name: another(name)})

    is_changed = function(before) != function(after)
    assert is_changed is (name in REACH_THE_FUNCTION)
    assert (version(before) != version(after)) is is_changed


def test_the_default_memory_by_its_number_is_no_change():
    assert version(Deployed()) == version(Deployed(MemorySize=3008))


def test_another_image_publishes_a_version():
    assert version(Deployed(image="recognizer:1"))[0] != version(Deployed(image="recognizer:2"))[0]


def test_a_version_that_is_replaced_stays():
    [published] = Deployed().of_type("AWS::Lambda::Version").values()

    assert (published["DeletionPolicy"], published["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_descriptions_that_hold_the_parameters_are_short_enough():
    longest = {
        name: max((str(value) for value in entry.get("AllowedValues", [another(name)])), key=len)
        for name, entry in PARAMETERS.items()
    }
    longest |= {"Project": "p" * 20, "Stage": "s" * 20, "CacheMaxAge": 31536000, "MemorySize": 10240}
    longest |= {"AllowedUrlHosts": "h" * 600, "AllowedUrlPorts": "1" * 30, "AccessKeySha256": "0" * 259}
    longest |= {"OriginSecretNumber": 999, "Compat": "c" * 70}
    stack = Deployed(**longest)

    _, properties = stack.only("AWS::Lambda::Version")
    assert len(properties["Description"].replace("<RecognizerPolicy.PolicyId>", "A" * 21)) <= 256
    assert len(stack.resources["RecognizerPolicy"]["Properties"]["Description"]) <= 1000
    limits = {
        name: entry["MaxLength"] for name, entry in PARAMETERS.items() if name in longest and "MaxLength" in entry
    }
    texts = ("AllowedUrlHosts", "AllowedUrlPorts", "AccessKeySha256", "Compat")
    assert {name: limits[name] for name in texts} == {name: len(longest[name]) for name in texts}


# samconfig.toml


@pytest.fixture(scope="module")
def environments():
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    config.pop("version")
    return config


@pytest.mark.parametrize(("environment", "stage"), [("default", "dev"), ("stage", "stage"), ("prod", "prod")])
def test_an_environment_names_every_parameter_once_for_build_and_deploy(environments, environment, stage):
    config = environments[environment]
    values = config["global"]["parameters"]["parameter_overrides"]

    assert list(values) == list(PARAMETERS)
    assert not any(
        "parameter_overrides" in command["parameters"] for name, command in config.items() if name != "global"
    )
    assert (values["Project"], values["Stage"]) == ("recognizer", stage)
    assert config["global"]["parameters"]["stack_name"] == f"recognizer-{stage}"
    assert config["deploy"]["parameters"]["tags"] == ["Project=recognizer", f"Stage={stage}"]
    stack = Deployed(**values)
    assert not stack.refusals()
    for name, value in values.items():
        assert re.fullmatch(PARAMETERS[name].get("AllowedPattern", ".*"), value), name
        assert value in {str(each) for each in PARAMETERS[name].get("AllowedValues", [value])}, name


def test_tensorflow_is_the_default_everywhere(environments):
    assert PARAMETERS["Engine"]["Default"] == "tensorflow"
    engines = [each["global"]["parameters"]["parameter_overrides"]["Engine"] for each in environments.values()]
    assert engines == ["tensorflow"] * 3


def test_only_dev_is_open_and_says_so(environments):
    values = {name: each["global"]["parameters"]["parameter_overrides"] for name, each in environments.items()}

    assert (values["default"]["Access"], values["default"]["OpenFetcher"]) == ("NONE", "yes")
    assert {values[name]["OpenFetcher"] for name in ("stage", "prod")} == {"no"}
    assert "NONE" not in {values[name]["Access"] for name in ("stage", "prod")}


# Rules


@pytest.mark.parametrize(
    ("switches", "says"),
    [
        ({}, "OpenFetcher=yes"),
        ({"Access": "KEY"}, "AccessKeySha256"),
        ({"Access": "JWT"}, "JwtIssuer"),
        ({"Access": "JWT", "JwtIssuer": "https://issuer.example"}, "JwtAudience"),
        ({"Access": "AWS_IAM", "SnapStart": "yes", "ProvisionedConcurrency": "1"}, "not both"),
        ({"Access": "AWS_IAM", "CloudFront": "yes", "WebAclArn": "none"}, "signature"),
        ({**KEY, "CloudFront": "yes"}, "WebAclArn"),
        ({**KEY, "MonthlyBudget": "10"}, "AlarmEmail"),
        ({**KEY, "Uploads": "yes", "UploadsPollers": "1"}, "at least two pollers"),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused_with_the_way_out(switches, says):
    [refusal] = Deployed(**switches).refusals()

    assert says in refusal


@pytest.mark.parametrize(
    "switches", [{"OpenFetcher": "yes"}, {"AllowedUrlHosts": "example.com"}, {"Access": "AWS_IAM"}, JWT, KEY], ids=named
)
def test_each_way_out_is_one(switches):
    assert not Deployed(**switches).refusals()


@pytest.mark.parametrize("hosts", [" ", ",", "example.com, example.org", "example.com,", "\t"])
def test_no_list_of_hosts_is_empty_but_looks_as_if_it_were_not(hosts):
    """The service would read a blank as any host, where the rule above would not."""
    pattern = PARAMETERS["AllowedUrlHosts"]["AllowedPattern"]

    assert not re.fullmatch(pattern, hosts)
    assert all(re.fullmatch(pattern, each) for each in ("", "example.com", "*.example.org,[2001:db8::1],localhost"))


def test_the_distribution_keeps_no_error_of_the_server():
    _, properties = Deployed(**KEY, CloudFront="yes", WebAclArn="none").only("AWS::CloudFront::Distribution")

    kept = {
        each["ErrorCode"]: each["ErrorCachingMinTTL"]
        for each in properties["DistributionConfig"]["CustomErrorResponses"]
    }
    assert kept == dict.fromkeys((500, 502, 503, 504), 0)


def test_the_distribution_passes_on_what_clients_of_other_services_send():
    """X-Amz-Target, X-Goog-Api-Key, Mcp-Method: every header but Host, whose value the API would not know."""
    _, properties = Deployed(**KEY, CloudFront="yes", WebAclArn="none").only("AWS::CloudFront::Distribution")
    behavior = properties["DistributionConfig"]["DefaultCacheBehavior"]

    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
    assert behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    assert "POST" in behavior["AllowedMethods"]
    assert "POST" not in behavior["CachedMethods"]


# Routes


def operations(stack):
    _, api = stack.only("AWS::ApiGatewayV2::Api")
    return {
        path if path == "$default" else f"{method.upper()} {path}": operation
        for path, methods in api["Body"]["paths"].items()
        for method, operation in methods.items()
    }


@pytest.mark.parametrize(
    ("switches", "security"),
    [({}, []), ({"Access": "AWS_IAM"}, [{"iam": []}]), (JWT, [{"jwt": []}]), (KEY, [])],
    ids=str,
)
def test_access_guards_the_costly_routes_and_no_other(switches, security):
    found = operations(Deployed(**switches))

    assert found.keys() == COSTLY | {"$default"}
    assert all(found[route]["security"] == security for route in COSTLY)
    assert "security" not in found["$default"]


def test_what_the_service_guards_has_routes_of_its_own():
    assert {route.partition(" ")[2] for route in OURS} == COSTLY_PATHS


def test_what_other_services_clients_pay_for_has_routes_too():
    costly = [
        (method, path)
        for path, methods in compat.endpoints([compat.ALL]).items()
        for method, endpoint in methods.items()
        if endpoint.is_costly
    ]

    assert costly
    for method, path in costly:
        assert method == "POST"
        greedy = [route.removesuffix("{proxy+}") for route in ABROAD if route.endswith("{proxy+}")]
        assert path in ABROAD or path.startswith(tuple(greedy)), path


def test_every_route_calls_the_alias():
    stack = Deployed()

    for operation in operations(stack).values():
        assert "<RecognizerAliaslive>" in operation["x-amazon-apigateway-integration"]["uri"]
    permissions = stack.of_type("AWS::Lambda::Permission").values()
    assert [each["Properties"]["FunctionName"] for each in permissions] == ["<RecognizerAliaslive>"] * 12


def test_tokens_are_checked_by_issuer_and_audience():
    _, api = Deployed(**JWT).only("AWS::ApiGatewayV2::Api")

    jwt = api["Body"]["components"]["securitySchemes"]["jwt"]["x-amazon-apigateway-authorizer"]["jwtConfiguration"]
    assert jwt == {"issuer": "https://issuer.example", "audience": ["recognizer"]}
    assert "jwt" not in Deployed().only("AWS::ApiGatewayV2::Api")[1]["Body"]["components"]["securitySchemes"]


def test_costly_routes_are_throttled_as_the_parameters_say():
    _, stage = Deployed(ThrottlingRate=3, ThrottlingBurst=7).only("AWS::ApiGatewayV2::Stage")

    assert stage["RouteSettings"].keys() == COSTLY
    for settings in stage["RouteSettings"].values():
        assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("3", "7")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50


# Rights


def test_the_function_may_write_its_own_log_and_nothing_else():
    stack = Deployed()

    [statement] = stack.resources["RecognizerPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert statement["Resource"] == "<RecognizerLogs.Arn>"
    assert stack.resources["RecognizerRole"]["Properties"]["ManagedPolicyArns"] == ["<RecognizerPolicy>"]


def test_traces_are_allowed_only_where_they_are_sent():
    policies = Deployed(Tracing="Active").resources["RecognizerRole"]["Properties"]["ManagedPolicyArns"]

    assert policies == ["<RecognizerPolicy>", "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"]


def test_the_secret_of_the_distribution_is_nobodys_parameter():
    stack = Deployed(**KEY, CloudFront="yes", WebAclArn="none")

    secret = "{{resolve:secretsmanager:<OriginSecret>}}"
    assert function(stack)["Environment"]["Variables"]["ORIGIN_SECRET"] == secret
    [origin] = stack.resources["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    assert origin["OriginCustomHeaders"] == [{"HeaderName": "X-Origin-Secret", "HeaderValue": secret}]
    assert function(Deployed())["Environment"]["Variables"]["ORIGIN_SECRET"] == ""


def test_another_number_is_another_secret_and_reaches_traffic():
    """CloudFormation replaces a secret for its name, and resolves a reference again where it names another."""
    front = {**KEY, "CloudFront": "yes", "WebAclArn": "none"}
    before, after = Deployed(**front), Deployed(**front, OriginSecretNumber=2)

    names = [stack.resources["OriginSecret"]["Properties"]["Name"] for stack in (before, after)]
    assert names == ["recognizer-dev-origin-1", "recognizer-dev-origin-2"]
    assert version(before) != version(after)
    # Where there is none, nothing is published for it.
    assert version(Deployed()) == version(Deployed(OriginSecretNumber=2))


@pytest.mark.parametrize("boundary", ["", ANOTHER["PermissionsBoundary"]])
def test_every_role_is_bounded_where_there_is_a_boundary(boundary):
    switches = {"TrafficShift": "Canary10Percent5Minutes", "Uploads": "yes"}
    roles = Deployed(PermissionsBoundary=boundary, **switches).of_type("AWS::IAM::Role")

    assert {"RecognizerRole", "TrafficShiftRole"} <= roles.keys()
    assert {role["Properties"].get("PermissionsBoundary", "") for role in roles.values()} == {boundary}


# Alarms and the dashboard look at what the service sends


@pytest.fixture
def emitted(monkeypatch, capsys):
    """Namespace, dimensions and names of the metrics of a good answer and of an internal error."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    monkeypatch.setenv(
        "POWERTOOLS_SERVICE_NAME", function(Deployed())["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    )
    steps = dict.fromkeys(("download", "decode", "detect", "annotate", "encode"), 1.0)
    outcome = SimpleNamespace(
        request=SimpleNamespace(url=None),
        source_bytes=1,
        width_px=1,
        height_px=1,
        format="PNG",
        detections=(),
        timings_ms=steps,
    )
    error = InternalError("Something went wrong.")
    error.__cause__ = ValueError("why")
    for status in (200, 304, 404, 502):
        telemetry.report(telemetry.Record("id", is_cold=True, has_picture=True, outcome=outcome), status)
    telemetry.report(telemetry.Record("id", is_cold=False, error=error), 500)
    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert len(blobs) == 5
    return {
        (directive["Namespace"], *((name, blob[name]) for name in directive["Dimensions"][0]), metric["Name"])
        for blob in blobs
        for directive in blob["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


@pytest.mark.parametrize("name", ["InternalErrorsAlarm", "LatencyAlarm"])
def test_alarms_on_the_services_own_metrics_name_what_it_sends(emitted, name):
    alarm = Deployed().resources[name]["Properties"]

    dimensions = [(each["Name"], each["Value"]) for each in alarm["Dimensions"]]
    assert (alarm["Namespace"], *dimensions, alarm["MetricName"]) in emitted


def metrics(widget):
    """Metrics of a widget in full: "." is the entry above, "..." all of them but the last."""
    above = []
    for entry in widget["properties"]["metrics"]:
        names = [name for name in entry if isinstance(name, str)]
        if not names:
            continue  # an expression
        if names[0] == "...":
            names = above[: len(above) - len(names) + 1] + names[1:]
        above = [above[place] if name == "." else name for place, name in enumerate(names)]
        yield above


def test_the_dashboard_shows_all_that_the_service_sends(emitted):
    widgets = json.loads(Deployed().resources["Dashboard"]["Properties"]["DashboardBody"])["widgets"]

    shown = {tuple(metric) for widget in widgets for metric in metrics(widget) if metric[0] == "Recognizer"}
    assert shown == {(namespace, name, *dimension) for namespace, dimension, name in emitted}
    places = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(places) == len(set(places))


def test_the_dashboard_estimates_with_the_memory_and_the_processor_that_are_paid_for():
    body = Deployed(Engine="litert", Architecture="arm64").resources["Dashboard"]["Properties"]["DashboardBody"]

    assert "ms / 1000 * 1769 / 1024 * 0.0000133334" in body


@pytest.mark.parametrize("alarms", ALARMS, ids=named)
def test_alarms_ring_where_someone_listens(alarms):
    stack = Deployed(Uploads="yes", **alarms)

    actions = ["<AlarmTopic>"] if alarms else None
    found = stack.of_type("AWS::CloudWatch::Alarm")
    assert len(found) == 7
    for alarm in found.values():
        assert alarm["Properties"].get("AlarmActions") == alarm["Properties"].get("OKActions") == actions
        assert alarm["Properties"]["TreatMissingData"] == "notBreaching"


def test_the_topic_is_encrypted_with_a_key_that_alarms_may_use():
    stack = Deployed(AlarmEmail="operator@example.com")

    assert stack.resources["AlarmTopic"]["Properties"]["KmsMasterKeyId"] == "<AlarmKey>"
    services = {
        json.dumps(each["Principal"]): each["Action"]
        for each in stack.resources["AlarmKey"]["Properties"]["KeyPolicy"]["Statement"]
    }
    assert services['{"Service": "cloudwatch.amazonaws.com"}'] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_a_shift_goes_back_on_alarms():
    group = Deployed(TrafficShift="Canary10Percent5Minutes").resources["RecognizerDeploymentGroup"]["Properties"]

    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    alarms = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
    names = ("InternalErrors", "FunctionErrors", "Timeouts", "Throttles", "Latency")
    assert alarms == [f"<{name}Alarm>" for name in names]


def test_the_alarm_on_timeouts_rings_before_lambda_stops_the_function():
    stack = Deployed()

    threshold_ms = stack.resources["TimeoutsAlarm"]["Properties"]["Threshold"]
    assert threshold_ms < stack.resources["Recognizer"]["Properties"]["Timeout"] * 1000


# Uploads


@pytest.fixture(scope="module")
def uploads():
    return Deployed(Uploads="yes", UploadsRetentionDays=7, UploadsOptions="n=5")


@pytest.mark.parametrize("name", ["UploadsBucket", "ResultsBucket"])
def test_buckets_are_private_encrypted_kept_and_emptied_by_and_by(uploads, name):
    bucket = uploads.resources[name]

    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    [encryption] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    [ownership] = properties["OwnershipControls"]["Rules"]
    assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"
    [rule] = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", "7")
    assert "BucketName" not in properties  # it would be in the way of the next stack


@pytest.mark.parametrize("name", ["UploadsBucketPolicy", "ResultsBucketPolicy", "UploadsQueuePolicy"])
def test_nothing_of_uploads_is_reached_without_tls(uploads, name):
    statements = uploads.resources[name]["Properties"]["PolicyDocument"]["Statement"]

    [denied] = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert denied["Principal"] == "*"
    assert denied["Action"] in {"s3:*", "sqs:*"}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(denied["Resource"]) == 2


def test_an_object_is_told_of_to_the_queue_and_a_result_to_nobody(uploads):
    told = uploads.resources["UploadsBucket"]["Properties"]["NotificationConfiguration"]

    assert told == {"QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": "<UploadsQueue.Arn>"}]}
    assert "NotificationConfiguration" not in uploads.resources["ResultsBucket"]["Properties"]
    assert uploads.resources["UploadsBucket"]["DependsOn"] == "UploadsQueuePolicy"
    [allowed] = [
        statement
        for statement in uploads.resources["UploadsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_message_is_not_handed_out_again_while_it_may_be_worked_on(uploads):
    queue = uploads.resources["UploadsQueue"]["Properties"]
    worker = uploads.resources["UploadsWorker"]["Properties"]

    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": "<UploadsDeadLetters.Arn>", "maxReceiveCount": 5}
    for name, days in (("UploadsQueue", 4), ("UploadsDeadLetters", 14)):
        properties = uploads.resources[name]["Properties"]
        assert properties["MessageRetentionPeriod"] == days * 24 * 3600
        assert properties["SqsManagedSseEnabled"] is True


def test_the_bytes_of_an_upload_outlast_every_message_about_them(uploads):
    [rule] = uploads.resources["UploadsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    dead_letters = uploads.resources["UploadsDeadLetters"]["Properties"]

    # Whatever UploadsRetentionDays is: a replaced version is no longer the current one from its first day on.
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] * 24 * 3600 > dead_letters["MessageRetentionPeriod"]


def test_the_worker_is_the_same_image_with_another_command(uploads):
    worker = uploads.resources["UploadsWorker"]

    assert TEMPLATE["Resources"]["UploadsWorker"]["Metadata"] == TEMPLATE["Resources"]["Recognizer"]["Metadata"]
    assert worker["Properties"]["ImageConfig"] == {"Command": ["upload_handler.lambda_handler"]}
    assert worker["Properties"]["Environment"]["Variables"]["UPLOADS_OPTIONS"] == "n=5"
    mapping = uploads.resources["UploadsMapping"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # What the worker refuses to begin without is there for each of a batch.
    assert mapping["BatchSize"] * (15 + 5) <= worker["Properties"]["Timeout"]


@pytest.mark.parametrize(
    ("pollers", "scaling", "provisioned"),
    [
        (0, {"MaximumConcurrency": "4"}, None),
        (3, None, {"MinimumPollers": "3", "MaximumPollers": 200}),
    ],
)
def test_lambda_gets_a_limit_or_pollers(pollers, scaling, provisioned):
    stack = Deployed(Uploads="yes", UploadsConcurrency=4, UploadsPollers=pollers)

    mapping = stack.resources["UploadsMapping"]["Properties"]
    assert (mapping.get("ScalingConfig"), mapping.get("ProvisionedPollerConfig")) == (scaling, provisioned)


def test_the_worker_and_the_reception_may_do_what_they_do_and_no_more(uploads):
    [policy] = uploads.resources["UploadsWorkerRole"]["Properties"]["Policies"]
    worker = {
        (action, resource)
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }
    reception = {
        (_listed(statement["Action"])[0], statement["Resource"])
        for statement in uploads.resources["ReceptionPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    }

    assert worker == {
        ("logs:CreateLogStream", "<UploadsWorkerLogs.Arn>"),
        ("logs:PutLogEvents", "<UploadsWorkerLogs.Arn>"),
        ("sqs:ReceiveMessage", "<UploadsQueue.Arn>"),
        ("sqs:DeleteMessage", "<UploadsQueue.Arn>"),
        ("sqs:GetQueueAttributes", "<UploadsQueue.Arn>"),
        ("s3:GetObject", "<UploadsBucket.Arn>/*"),
        ("s3:GetObjectVersion", "<UploadsBucket.Arn>/*"),
        ("s3:GetObject", "<ResultsBucket.Arn>/results/*"),
        ("s3:PutObject", "<ResultsBucket.Arn>/results/*"),
        ("s3:ListBucket", "<UploadsBucket.Arn>"),
        ("s3:ListBucketVersions", "<UploadsBucket.Arn>"),
        ("s3:ListBucket", "<ResultsBucket.Arn>"),
    }
    assert reception == {
        ("s3:PutObject", "<UploadsBucket.Arn>/uploads/*"),
        ("s3:GetObject", "<ResultsBucket.Arn>/results/uploads/*"),
        ("s3:ListBucket", "<ResultsBucket.Arn>"),
    }
    assert "<ReceptionPolicy>" in uploads.resources["RecognizerRole"]["Properties"]["ManagedPolicyArns"]


def test_the_function_knows_its_buckets_where_there_are_any(uploads):
    for stack, buckets in ((uploads, ("<UploadsBucket>", "<ResultsBucket>")), (Deployed(), ("", ""))):
        variables = function(stack)["Environment"]["Variables"]
        assert (variables["UPLOADS_BUCKET"], variables["RESULTS_BUCKET"]) == buckets


def _listed(value):
    return [value] if isinstance(value, str) else value
