"""GitHub Actions: what runs there is pinned, has no more rights than it needs, and calls what there is."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STAGES = {"dev", "stage", "prod"}


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms, each as the list of what it was given."""


_Template.add_multi_constructor(
    "!", lambda loader, _, node: getattr(loader, f"construct_{node.id}")(node) if node.id != "scalar" else node.value
)


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), _Template)  # noqa: S506 - it is a safe loader's child


def jobs(path):
    return read(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job.get("steps", [])]


def commands():
    return "\n".join(step["run"] for path in WORKFLOWS for step in steps(path) if "run" in step)


def test_there_are_workflows():
    assert [path.name for path in WORKFLOWS] == ["deploy.yml", "pipeline.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_commit_and_says_its_version(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text(encoding="utf-8"))

    assert used
    for action, comment in used:
        assert action.startswith("./.github/workflows/") or (
            re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
        ), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_read_and_only_those_that_deploy_get_a_token_for_their_role(path):
    assert read(path)["permissions"] == {"contents": "read"}
    for name, job in jobs(path).items():
        deploys = name == "deploy" or job.get("uses") == "./.github/workflows/deploy.yml"
        assert job.get("permissions") == ({"contents": "read", "id-token": "write"} if deploys else None)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_credentials_are_stored_or_left_lying_about(path):
    text = path.read_text(encoding="utf-8")

    assert "secrets." not in text
    assert all(
        step["with"] == {"persist-credentials": False} for step in steps(path) if "checkout" in step.get("uses", "")
    )
    # What others can name (branches, titles) must not be written into a script, where it would be run.
    assert not [step["run"] for step in steps(path) if "${{" in step.get("run", "")]


def test_main_goes_to_dev_and_a_tag_to_stage_and_then_to_prod():
    pipeline = jobs(ROOT / ".github" / "workflows" / "pipeline.yml")
    deployed = {job["with"]["stage"]: (job["needs"], job.get("if")) for job in pipeline.values() if "with" in job}

    assert deployed == {
        "dev": ("test", "github.ref == 'refs/heads/main'"),
        "stage": ("test", "startsWith(github.ref, 'refs/tags/v')"),
        "prod": ("stage", None),
    }


def test_what_is_made_can_be_made():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = set(re.findall(r"make (?:--silent )?([a-z-]+)\b(?!/)", commands()))

    assert {"publish", "deploy", "sbom"} <= called
    assert called <= targets | {"deploy"}
    assert ".ci/run" in commands()


def test_the_pipeline_sets_what_deploying_reads():
    set_there = {name for step in steps(ROOT / ".github" / "workflows" / "deploy.yml") for name in step.get("env", {})}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "deploy").glob("*.py"))

    assert set_there == {"EXECUTION_ROLE_ARN"}
    assert set_there <= set(re.findall(r'os\.environ\.get\("(\w+)"\)', sources))


def test_names_of_a_project_are_the_same_everywhere():
    templates = [ROOT / "template.yaml", *sorted((ROOT / "deploy").glob("*.yaml"))]
    patterns = {path.name: read(path)["Parameters"]["Project"]["AllowedPattern"] for path in templates}

    # A repository's name has two characters at least.
    assert patterns == dict.fromkeys(patterns, "[a-z][a-z0-9-]{1,19}")


def test_the_role_can_be_taken_by_that_environment_of_that_repository_alone():
    template = read(ROOT / "deploy" / "github-oidc.yaml")
    (statement,) = template["Resources"]["Deployer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:${GitHubRepository}:environment:${Stage}",
        }
    }
    assert jobs(ROOT / ".github" / "workflows" / "deploy.yml")["deploy"]["environment"] == "${{ inputs.stage }}"


def test_what_a_job_becomes_can_make_nothing_itself():
    template = read(ROOT / "deploy" / "github-oidc.yaml")
    (policy,) = template["Resources"]["Deployer"]["Properties"]["Policies"]
    allowed = [action for one in policy["PolicyDocument"]["Statement"] for action in [one["Action"]]]
    actions = {action for given in allowed for action in ([given] if isinstance(given, str) else given)}

    assert {action.partition(":")[0] for action in actions} == {"ecr", "cloudformation", "s3", "iam"}
    assert {action for action in actions if action.startswith("iam:")} == {"iam:PassRole"}
    assert not [action for action in actions if "*" in action or ("Delete" in action and "ChangeSet" not in action)]


def statements():
    """What CloudFormation may do, by name."""
    (policy,) = read(ROOT / "deploy" / "github-oidc.yaml")["Resources"]["Execution"]["Properties"]["Policies"]
    return {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}


def listed(value):
    return [value] if isinstance(value, str) else value


def test_what_a_template_makes_is_no_administrator():
    """Roles are made and given rights within a boundary alone, which nothing here may take away or change."""
    granting = {"iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
    for one in statements().values():
        if one["Effect"] == "Allow":
            actions = set(listed(one["Action"]))
            assert not actions & {"*", "iam:*", "iam:DeleteRolePermissionsBoundary"}
            if actions & granting:
                assert one["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": "Boundary"}}
    denied = statements()["NothingOfWhatHoldsIt"]
    assert denied["Effect"] == "Deny"
    assert all("${AWS::StackName}-*" in resource for resource in denied["Resource"])
    boundary = read(ROOT / "deploy" / "github-oidc.yaml")["Resources"]["Boundary"]["Properties"]["PolicyDocument"]
    bounded = [action for one in boundary["Statement"] for action in one["Action"]]
    assert not [action for action in bounded if "*" in action or action.startswith(("iam:", "sts:"))]


def test_the_roles_are_not_among_those_that_they_may_change():
    command = re.search(r"deploy/github-oidc\.yaml --stack-name (\S+)", (ROOT / "docs" / "operations.md").read_text())

    assert command
    assert command[1] == "github-recognizer-prod"


def test_other_stages_and_other_peoples_things_stay_out_of_reach():
    for one in statements().values():
        for resource in listed(one["Resource"]):
            assert not re.search(r"\$\{Stage\}\*|secret:\*", resource), resource  # dev would be dev2, too
        if one["Resource"] == "*" and "Condition" not in one:
            dangerous = {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "cloudfront:*", "budgets:*"}
            dangerous |= {"cloudfront:UpdateDistribution", "cloudfront:DeleteDistribution"}
            assert not dangerous & set(listed(one["Action"]))


def test_a_shift_may_read_how_it_goes():
    assert "codedeploy:GetDeploymentConfig" in listed(statements()["HowTrafficShifts"]["Action"])
    assert "deploymentconfig:CodeDeployDefault." in statements()["HowTrafficShifts"]["Resource"]


def test_updates_are_looked_for_where_there_is_something_to_update():
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    folders = {folder for one in updates for folder in one.get("directories", [one.get("directory")])}

    assert {one["package-ecosystem"] for one in updates} == {"github-actions", "docker", "pip"}
    assert all((ROOT / folder.strip("/")).is_dir() for folder in folders)
    locks = {path.parent for path in ROOT.glob("[!.]*/**/requirements*.txt")} | {ROOT / "requirements"}
    assert {f"/{path.relative_to(ROOT)}" for path in locks} <= folders
    images = {path.parent for path in [*ROOT.glob("src/*/Dockerfile"), *ROOT.glob("examples/*/src/Dockerfile")]}
    assert {f"/{path.relative_to(ROOT)}" for path in images} <= folders


def test_images_keep_their_tags_and_are_scanned():
    repository = read(ROOT / "deploy" / "repository.yaml")["Resources"]["Repository"]

    assert repository["DeletionPolicy"] == "Retain"
    assert repository["Properties"]["ImageTagMutability"] == "IMMUTABLE"
    assert repository["Properties"]["ImageScanningConfiguration"] == {"ScanOnPush": True}
    policy = yaml.safe_load(
        repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"].replace("${KeptImages}", "50")
    )
    assert [rule["action"] for rule in policy["rules"]] == [{"type": "expire"}] * 2
