"""Builds, pushes and scans the image of one environment, and prints where it is: ``python -m deploy.publish STAGE``.

For those who deploy by other means than SAM, and for the pipeline, which lets nothing into an environment in which
ECR's scan finds something critical. Owns that judgement.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError
from botocore.waiter import WaiterModel, create_waiter_with_client

from deploy import image, program, ready

if TYPE_CHECKING:
    from boto3.session import Session

_WORST = "CRITICAL"
# One finding a line, by its name, and why it is accepted: "CVE-2026-1234 no fix yet; nothing here calls it".
# botocore's own waits for COMPLETE; Amazon Inspector, which goes on looking, says ACTIVE.
_SCANNED = WaiterModel(
    {
        "version": 2,
        "waiters": {
            "Scanned": {
                "operation": "DescribeImageScanFindings",
                "delay": 5,
                "maxAttempts": 60,
                "acceptors": [
                    {"matcher": "path", "argument": "imageScanStatus.status", "expected": status, "state": state}
                    for status, state in {"COMPLETE": "success", "ACTIVE": "success", "FAILED": "failure"}.items()
                ]
                + [{"matcher": "error", "expected": "ScanNotFoundException", "state": "retry"}],
            }
        },
    }
)
_ACCEPTED = ready.ROOT / "deploy" / "accepted-findings.txt"


def main(arguments: list[str]) -> int:
    """Publishes for the named stage, dev without a name; what the process should exit with."""
    stage = arguments[0] if arguments and arguments[0] else "dev"
    return program.exit_code(stage, _publish, "The image was not published")


def _publish(environment: ready.Environment) -> int:
    ready.check_docker()
    session = ready.account()
    published = image.published(environment, session)
    findings, open_ = _findings(session, published)
    print(published.address)
    told = ", ".join(f"{count} {severity.lower()}" for severity, count in findings.items()) or "nothing"
    print(f"tag {published.tag}; ECR's scan found {told}", file=sys.stderr)
    if open_:
        print(f"{open_} critical; {_ACCEPTED.name} is where to accept what has no fix", file=sys.stderr)
    return 1 if open_ else 0


def _findings(session: Session, published: image.Published) -> tuple[Counter[str], int]:
    """How many findings of each severity ECR's scan of an image has, and how many critical ones nobody accepted."""
    ecr = session.client("ecr")
    name = published.repository.partition("/")[2]
    scanned: dict[str, Any] = {"repositoryName": name, "imageId": {"imageDigest": published.digest}}
    try:
        create_waiter_with_client("Scanned", _SCANNED, ecr).wait(**scanned)
        pages: list[Any] = [
            page["imageScanFindings"] for page in ecr.get_paginator("describe_image_scan_findings").paginate(**scanned)
        ]
    except (ClientError, WaiterError) as error:
        raise ready.NotReadyError(f"The image is pushed, but there is no scan of it: {error}") from error
    counts: Counter[str] = Counter(pages[0].get("findingSeverityCounts", {}))
    lines = _ACCEPTED.read_text(encoding="utf-8").splitlines() if _ACCEPTED.exists() else []
    accepted = {line.split()[0] for line in lines if line.strip()}
    worst = [_name(each) for page in pages for each in _all(page) if each.get("severity") == _WORST]
    return counts, counts[_WORST] - sum(name in accepted for name in worst)


def _all(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings of a page: ECR's own scan or Amazon Inspector's, whichever the account has."""
    return [*page.get("findings", []), *page.get("enhancedFindings", [])]


def _name(finding: dict[str, Any]) -> str:
    return str(finding.get("name") or finding.get("packageVulnerabilityDetails", {}).get("vulnerabilityId"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
