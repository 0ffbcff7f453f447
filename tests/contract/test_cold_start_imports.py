"""What a cold start imports, by name: a package that a request does not need is paid for at every start."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.functional.loopback import LoopbackServer

RECOGNIZER = ROOT / "src" / "Recognizer"
PICTURE = (RECOGNIZER / "web" / "samples" / "cat.jpg").read_bytes()

# Everything beyond the standard library that the service with LiteRT may import.
BUDGET = {
    "PIL",
    "ai_edge_litert",
    "aws_lambda_powertools",
    "botocore",  # the bare package: Powertools tells it its name
    "certifi",
    "handler",
    "idna",
    "jmespath",
    "numpy",
    "recognizer",
    "requests",
    "simplejson",  # taken by requests where another package brought it
    "typing_extensions",
    "urllib3",
}
# Parts of what may be imported that are slow to import and have no use here.
UNUSED = {
    "numpy.random",
    "numpy.testing",
    "numpy.ma",
    "PIL.ImageQt",
    "PIL.ImageCms",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_xray_sdk",
    "botocore.session",
    "recognizer.site.openapi",  # the site is made when somebody asks for it
    "recognizer.site.page",
    "recognizer.site.reference",
    "unittest",
    "sqlite3",
    "multiprocessing",
}

_REPORT = """
import json, sys, sysconfig
before = set(sys.modules)
import handler
loaded = set(sys.modules)
event = json.load(sys.stdin)
answer = handler.lambda_handler(event, None)
assert answer["statusCode"] == 200, answer
print(json.dumps({"loaded": sorted(loaded - before), "later": sorted(set(sys.modules) - loaded)}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def imported(tiny_model_of_both):
    """Modules imported by a cold start with LiteRT, and those that the first request imports on top."""
    settings = {
        "MODEL_DIR": str(tiny_model_of_both["litert"]),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "ALLOWED_URL_PORTS": "*",
        "COMPAT": "all",  # with every dialect on, none is loaded
        "PYTHONPATH": str(RECOGNIZER),
        "POWERTOOLS_METRICS_DISABLED": "true",
        "POWERTOOLS_LOG_LEVEL": "ERROR",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POWERTOOLS_")}
    event = json.loads((ROOT / "events" / "get-image.json").read_text(encoding="utf-8"))
    with LoopbackServer({"/cat.jpg": lambda exchange: exchange.answer(200, PICTURE)}) as server:
        event["queryStringParameters"] = {"url": server.url("/cat.jpg")}
        done = subprocess.run(
            (sys.executable, "-c", _REPORT),
            env=kept | settings,
            input=json.dumps(event),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr.strip().splitlines()[-1])


pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])


def beyond_the_standard_library(modules):
    packages = {name.partition(".")[0] for name in modules}
    return {name for name in packages if name not in sys.stdlib_module_names and not name.startswith("_")}


def test_nothing_beyond_the_budget_is_imported(imported):
    assert beyond_the_standard_library(imported["loaded"]) <= BUDGET


def test_slow_parts_without_a_use_are_not_imported(imported):
    assert not UNUSED & set(imported["loaded"])


def test_a_request_finds_everything_loaded(imported):
    assert not {name for name in imported["later"] if not name.startswith("encodings.")}
