import shutil
import sys

import pytest

from benchmarks import subjects
from benchmarks.rounds import CPUS
from benchmarks.subjects import NotMeasured, Subject

HANDLER = """
import os
print("a log record", flush=True)

def lambda_handler(event, context):
    if event["is_bad"]:
        return {"statusCode": 500, "body": "it is broken"}
    headers = {"Server-Timing": "download;dur=0.1, detect;dur=0.2"}
    return {"statusCode": 200, "headers": headers, "body": os.environ["GREETING"]}
"""

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks run on Linux only")


@pytest.fixture
def subject(tmp_path):
    (tmp_path / "hello.py").write_text(HANDLER)
    return Subject("hello", "hello", tmp_path, {"GREETING": "x" * 4000})


@needs_linux
def test_a_subject_is_measured_in_a_process_of_its_own(subject):
    event = {"is_bad": False}
    orders = [
        ("start", {"event": event}),
        ("repeat", {"event": event, "times": 3}),
        ("peak_mb", {"event": event}),
        ("answers_per_s", {"event": event, "clients": [1, 2], "seconds": 0.05}),
    ]
    cold_start, (answers, [peak], [rates]), _ = subject.run(CPUS, orders)
    *parts, whole = cold_start.values()
    assert whole == pytest.approx(sum(parts))
    assert all(part > 0 for part in parts)
    assert [answer["KB"] for answer in answers] == [3.0, 3.0, 3.0]
    assert answers[0]["all"] == pytest.approx(0.3 + answers[0]["rest"])
    assert 1 < peak["all"] < 1000
    assert set(rates) == {"clients: 1", "clients: 2"}
    assert min(rates.values()) > 0


@needs_linux
def test_a_profile_is_written_where_it_is_wanted(subject, tmp_path):
    subject.run(CPUS, [("start", {"event": {"is_bad": False}}, str(tmp_path / "profile"))])
    assert (tmp_path / "profile").stat().st_size > 0


@needs_linux
def test_a_subject_that_fails_ends_the_run_with_its_last_words(subject):
    with pytest.raises(NotMeasured, match=r"(?s)hello failed: .*the handler answered 500: it is broken"):
        subject.run(CPUS, [("start", {"event": {"is_bad": True}})])


def _changed(tree, file):
    """Whether the model is built anew after an edit of a file."""
    before = subjects._digest(tree, "url")
    with (tree / file).open("a") as end:
        end.write("\n# edited\n")
    return subjects._digest(tree, "url") != before


@pytest.fixture
def tree(tmp_path):
    return shutil.copytree(subjects.RECOGNIZER, tmp_path / "tree", ignore=subjects.NOT_CODE)


@pytest.mark.parametrize(
    "file", ["model_build/litert.py", "recognizer/vision/nms.py", "recognizer/errors.py", "recognizer/hierarchy.csv"]
)
def test_a_model_is_built_anew_when_what_builds_it_changes(tree, file):
    assert _changed(tree, file)


def test_a_model_is_kept_when_only_what_serves_requests_changes(tree):
    assert not _changed(tree, "recognizer/app.py")


def test_a_model_is_named_for_its_address(tree):
    assert subjects._digest(tree, "one") != subjects._digest(tree, "another")
