"""Builds, pushes and scans the image of one environment, and prints where it is: ``python -m deploy.publish STAGE``.

For those who deploy by other means than SAM, and for the pipeline, which lets nothing into an environment in which
ECR's scan finds something critical. Owns that judgement.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from deploy import image, ready

if TYPE_CHECKING:
    from boto3.session import Session

_WORST = "CRITICAL"


def main(arguments: list[str]) -> int:
    """Publishes for the named stage, dev without a name; what the process should exit with."""
    try:
        environment = ready.environment(arguments[0] if arguments and arguments[0] else "dev")
        ready.check_docker()
        session = ready.account()
        published = image.published(environment, session)
        findings = _findings(session, published)
    except ready.NotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:  # it has said itself why
        return error.returncode or 1
    print(published.address)
    told = ", ".join(f"{count} {severity.lower()}" for severity, count in findings.items()) or "nothing"
    print(f"tag {published.tag}; ECR's scan found {told}", file=sys.stderr)
    return 1 if findings[_WORST] else 0


def _findings(session: Session, published: image.Published) -> Counter[str]:
    """How many findings of each severity ECR's scan of an image has."""
    ecr = session.client("ecr")
    name = published.repository.partition("/")[2]
    scanned: dict[str, Any] = {"repositoryName": name, "imageId": {"imageDigest": published.digest}}
    try:
        ecr.get_waiter("image_scan_complete").wait(**scanned)
        found = ecr.describe_image_scan_findings(**scanned)
    except (ClientError, WaiterError) as error:
        raise ready.NotReadyError(f"The image is pushed, but there is no scan of it: {error}") from error
    return Counter(found["imageScanFindings"].get("findingSeverityCounts", {}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
