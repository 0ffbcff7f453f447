"""What CloudFormation makes of template.yaml: SAM's own translator, then intrinsic functions, conditions and rules.

Only the functions that the template uses; an unknown one is an error. References to resources become ``<Name>`` and
``<Name.Attribute>``, so that a test can see who depends on whom.
"""

from __future__ import annotations

import copy
import functools
import json
import logging
import re
import sys

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.conftest import ROOT

TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
PARAMETERS = TEMPLATE["Parameters"]
REFERENCE = re.compile(r"<([A-Za-z0-9]+)(?:\.[A-Za-z.]+)?>")

_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "stack-id",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()
# A real account refuses others, Fn::If among them, although the documentation lists it.
_RULE_FUNCTIONS = {"Ref", "Fn::And", "Fn::Contains", "Fn::Equals", "Fn::Not", "Fn::Or"}


class Deployed:
    """The stack that some parameters make.

    Attributes:
        values: every parameter, as text.
        resources: those that are made, without intrinsic functions.
        outputs: likewise.
    """

    def __init__(self, image="recognizer:1", **parameters):
        assert parameters.keys() <= PARAMETERS.keys()
        self.values = {name: str(parameters.get(name, entry["Default"])) for name, entry in PARAMETERS.items()}
        translated = _translated(image, *self.values.items())
        self._mappings = translated["Mappings"]
        self._conditions = translated["Conditions"]
        self.resources = {
            name: {key: self._resolved(value) for key, value in resource.items()}
            for name, resource in translated["Resources"].items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }
        self.outputs = {name: self._resolved(output["Value"]) for name, output in translated["Outputs"].items()}

    def of_type(self, kind):
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    def only(self, kind):
        """Name and properties of the one resource of a type."""
        [(name, resource)] = self.of_type(kind).items()
        return name, resource.get("Properties", {})

    def holds(self, condition):
        return self._resolved(self._conditions[condition])

    def references(self):
        """Who names whom, by logical id."""
        return {
            name: set(REFERENCE.findall(str(resource))) | set(_listed(resource.get("DependsOn")))
            for name, resource in self.resources.items()
        }

    def refusals(self):
        """What CloudFormation says before it makes anything, because parameters contradict each other."""
        return [
            assertion["AssertDescription"]
            for rule in TEMPLATE["Rules"].values()
            if self._ruled(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._ruled(assertion["Assert"])
        ]

    def _ruled(self, condition):
        used = set(re.findall(r"'(Ref|Fn::[A-Za-z]+)'", str(condition)))
        assert used <= _RULE_FUNCTIONS, used - _RULE_FUNCTIONS
        return self._resolved(condition)

    def _resolved(self, value):
        if isinstance(value, list):
            return [each for item in value if (each := self._resolved(item)) is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Condition" and isinstance(argument, str):
                return self.holds(argument)
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self._resolved(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, name, argument):
        if name == "Ref":
            return (
                _NO_VALUE if argument == "AWS::NoValue" else {**_PSEUDO, **self.values}.get(argument, f"<{argument}>")
            )
        if name == "Fn::If":
            condition, then, otherwise = argument
            return self._resolved(then if self.holds(condition) else otherwise)
        if name == "Fn::Sub":
            return self._substituted(argument)
        resolved = self._resolved(argument)
        functions = {
            "Fn::GetAtt": lambda *names: f"<{'.'.join(names)}>",
            "Fn::Join": lambda separator, parts: separator.join(parts),
            "Fn::FindInMap": lambda first, second, third: self._mappings[first][second][third],
            "Fn::Equals": lambda one, other: str(one) == str(other),
            "Fn::Not": lambda condition: not condition,
            "Fn::And": lambda *conditions: all(conditions),
            "Fn::Or": lambda *conditions: any(conditions),
        }
        return functions[name](*([resolved] if isinstance(resolved, str) else resolved))

    def _substituted(self, argument):
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(match):
            name = match[1]
            if name in own:
                return str(self._resolved(own[name]))
            return self._call("Fn::GetAtt" if "." in name else "Ref", name)

        return re.sub(r"\$\{([^!}]+)\}", value, text)


@functools.cache
def _translated(image, *values):
    template = copy.deepcopy(TEMPLATE)
    for name in ("Recognizer", "UploadsWorker"):
        template["Resources"][name]["Properties"]["ImageUri"] = image  # as `sam deploy` writes it
    session = boto3.Session(region_name=_PSEUDO["AWS::Region"])
    translator = Translator({}, Parser(), boto_session=session)
    return translator.translate(template, parameter_values=dict(values))


def _listed(value):
    return [value] if isinstance(value, str) else value or []


def main():
    """Prints the stack with every switch on, for programs that look for what is unsafe."""
    logging.disable(logging.WARNING)  # the translator misses what only AWS's own has
    switches = {"CloudFront": "yes", "AlarmEmail": "operator@example.com", "MonthlyBudget": "50", "SnapStart": "yes"}
    switches |= {"Uploads": "yes"}
    switches |= {"TrafficShift": "Canary10Percent5Minutes", "Tracing": "Active", "ReservedConcurrency": "5"}
    switches |= {"WebAclArn": f"arn:aws:wafv2:us-east-1:{_PSEUDO['AWS::AccountId']}:global/webacl/recognizer-rate/id"}
    stack = Deployed(Access="KEY", AccessKeySha256="0" * 64, **switches)
    assert not stack.refusals()
    json.dump({"AWSTemplateFormatVersion": "2010-09-09", "Resources": stack.resources}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
