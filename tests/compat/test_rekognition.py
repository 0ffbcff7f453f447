"""Rekognition's DetectLabels, asked by boto3, finds what ``/detector`` finds."""

from __future__ import annotations

import base64
import hashlib

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from recognizer.build import build

from tests.compat.asking import HOSTILE, ask, detections
from tests.functional.serving import environment, served

KEY = "AKIAEXAMPLE"
TARGET = "RekognitionService.DetectLabels"
# A floor that leaves some and takes some of what is in the picture.
LEAST = 20.0


def client_at(address, key="none"):
    return boto3.client(
        "rekognition",
        region_name="us-east-1",
        endpoint_url=address,
        aws_access_key_id=key,
        aws_secret_access_key="unread",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def rekognition(address):
    return client_at(address)


@pytest.fixture(scope="module")
def every(rekognition, noise):
    """All labels above the floor, by name."""
    return {label["Name"]: label for label in labels(rekognition, noise, MinConfidence=LEAST)}


@pytest.fixture(scope="module")
def known(app, noise):
    """The same by ``/detector``."""
    return detections(app, noise, n="100", min_score=str(LEAST / 100))


def labels(rekognition, picture, **wanted):
    return rekognition.detect_labels(Image={"Bytes": picture}, **wanted)["Labels"]


def names(found):
    return [label["Name"] for label in found]


def refused(call):
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_each_detection_is_an_instance_of_its_label(every, known):
    instances = [
        (name, round(instance["Confidence"] / 100, 4), pixels(instance["BoundingBox"]))
        for name, label in every.items()
        for instance in label["Instances"]
    ]

    assert len(known) > len({found["label"] for found in known}) > 1
    assert sorted(instances) == sorted(
        (found["label"], found["score"], tuple(found["box"].values())) for found in known
    )


def pixels(box, side_px=128):
    edges = (box["Left"], box["Top"], box["Left"] + box["Width"], box["Top"] + box["Height"])
    return tuple(round(edge * side_px) for edge in edges)


def test_each_label_that_covers_others_is_one_of_its_own(every, known):
    covering = {parent for found in known for parent in found["parents"]}

    assert covering - {found["label"] for found in known}
    assert every.keys() == covering | {found["label"] for found in known}
    for name in covering:
        below = [found["score"] for found in known if name in found["parents"] or name == found["label"]]
        assert round(every[name]["Confidence"] / 100, 4) == max(below)


def test_the_parents_of_a_label_are_all_that_cover_it(every, known):
    for found in known:
        assert names(every[found["label"]]["Parents"]) == found["parents"]
    for label in every.values():
        for parent in label["Parents"]:
            above = names(every[parent["Name"]]["Parents"])
            assert set(above) < set(names(label["Parents"]))


def test_the_most_certain_come_first(rekognition, noise):
    found = labels(rekognition, noise, MinConfidence=LEAST)
    confidences = [label["Confidence"] for label in found]

    assert confidences == sorted(confidences, reverse=True)
    assert labels(rekognition, noise, MinConfidence=LEAST, MaxLabels=2) == found[:2]
    assert labels(rekognition, noise, MinConfidence=LEAST, MaxLabels=0) == []


def test_the_least_confidence_is_theirs_where_none_is_named(rekognition, noise):
    assert labels(rekognition, noise) == labels(rekognition, noise, MinConfidence=55.0)
    assert labels(rekognition, noise) != labels(rekognition, noise, MinConfidence=LEAST)


def test_filters_name_labels_as_they_are_answered(rekognition, noise, every, known):
    settings = lambda **filters: {"MinConfidence": LEAST, "Settings": {"GeneralLabels": filters}}  # noqa: E731
    own = known[0]["label"]
    covering = next(found["parents"][-1] for found in known if found["parents"])

    one = labels(rekognition, noise, **settings(LabelInclusionFilters=[own.upper()]))
    wider = labels(rekognition, noise, **settings(LabelInclusionFilters=[covering]))
    rest = labels(rekognition, noise, **settings(LabelExclusionFilters=[own]))
    assert one == [every[own]]
    assert wider == [every[covering]]
    assert names(rest) == [name for name in every if name != own]


def test_a_picture_that_is_none_and_one_that_is_broken_have_their_errors(rekognition, noise):
    code, message = refused(lambda: labels(rekognition, b"no picture"))
    assert (code, bool(message)) == ("InvalidImageFormatException", True)

    with pytest.raises(rekognition.exceptions.InvalidImageFormatException):
        labels(rekognition, noise[: len(noise) // 2])


def test_a_picture_of_too_many_bytes_has_their_error(tiny_model, noise):
    with (
        served(build(environment(tiny_model, COMPAT="rekognition", MAX_BYTES="1000"))) as address,
        pytest.raises(client_at(address).exceptions.ImageTooLargeException),
    ):
        labels(client_at(address), noise)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"Features": ["IMAGE_PROPERTIES"]}, "GENERAL_LABELS"),
        ({"Settings": {"ImageProperties": {"MaxDominantColors": 3}}}, "ImageProperties"),
        ({"Settings": {"GeneralLabels": {"LabelCategoryInclusionFilters": ["Animals"]}}}, "LabelCategoryInclusion"),
        ({"Settings": {"GeneralLabels": {"LabelCategoryExclusionFilters": ["Animals"]}}}, "LabelCategoryExclusion"),
        ({"Settings": {"GeneralLabels": {"LabelInclusionFilters": ["Unicorn"]}}}, "Unicorn"),
        ({"Settings": {"GeneralLabels": {"LabelExclusionFilters": ["/m/0k4j"]}}}, "names of labels"),
    ],
    ids=str,
)
def test_what_is_not_here_is_refused(rekognition, noise, wanted, named):
    code, message = refused(lambda: labels(rekognition, noise, **wanted))

    assert code == "InvalidParameterException"
    assert named in message


def test_an_object_in_a_bucket_is_refused_with_another_way(rekognition):
    with pytest.raises(rekognition.exceptions.InvalidS3ObjectException, match="presigned"):
        rekognition.detect_labels(Image={"S3Object": {"Bucket": "pictures", "Name": "cat.jpg"}})


@pytest.mark.parametrize("image", [None, {}, {"Bytes": ""}, {"Bytes": 5}, {"Bytes": "no base64!"}], ids=repr)
def test_bytes_that_are_none_are_named(app, image):
    answer = ask(app, "/", {"Image": image}, X_Amz_Target=TARGET)

    assert (answer.status, answer.json["__type"]) == (400, "InvalidParameterException")
    assert "Image.Bytes" in answer.json["message"]


def test_other_operations_are_not_here(rekognition, app, noise):
    code, message = refused(lambda: rekognition.detect_faces(Image={"Bytes": noise}))
    assert (code, TARGET in message) == ("UnknownOperationException", True)

    answer = ask(app, "/", {})
    assert (answer.status, answer.json["__type"]) == (400, "UnknownOperationException")


def test_the_access_key_id_is_the_key(tiny_model, noise):
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    app = build(environment(tiny_model, COMPAT="rekognition", ACCESS="KEY", ACCESS_KEY_SHA256=digest))
    with served(app) as address:
        assert labels(client_at(address, KEY), noise)
        with pytest.raises(client_at(address).exceptions.AccessDeniedException):
            labels(client_at(address, "another"), noise)

    body = {"Image": {"Bytes": base64.b64encode(noise).decode()}}
    assert ask(app, "/", body, X_Amz_Target=TARGET, Authorization=f"Bearer {KEY}").status == 200
    unsigned = ask(app, "/", body, X_Amz_Target=TARGET)
    assert (unsigned.status, unsigned.json["__type"]) == (400, "AccessDeniedException")
    assert "www-authenticate" in unsigned.headers


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize(
    "name", ["Image", "MaxLabels", "MinConfidence", "Features", "Settings", "GeneralLabels", "Filter"]
)
def test_no_value_breaks_it(app, noise, name, value):
    filters = {"LabelInclusionFilters": value} if name == "Filter" else {}
    settings = {"GeneralLabels": value if name == "GeneralLabels" else filters}
    body = {"Image": {"Bytes": base64.b64encode(noise).decode()}, "Settings": settings}
    if name in {"Image", "MaxLabels", "MinConfidence", "Features", "Settings"}:
        body[name] = value
    answer = ask(app, "/", body, X_Amz_Target=TARGET)

    assert answer.media_type == "application/x-amz-json-1.1"
    if answer.status != 200:
        assert (answer.status, answer.json["__type"]) == (400, "InvalidParameterException")
        assert answer.json["message"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'"', b"[" * 100_000, b'{"Image": 1, "Image": 2}'], ids=repr
)
def test_no_body_breaks_it(app, body):
    answer = ask(app, "/", body, X_Amz_Target=TARGET)

    assert answer.status == 400
    assert answer.json["__type"] in {"InvalidParameterException", "InvalidImageFormatException"}


def test_the_page_is_where_it_was(app):
    assert ask(app, "/", method="GET").media_type == "text/html"
    assert ask(app, "/", method="HEAD").status == 200
    assert ask(app, "/", method="PUT").headers["allow"] == "HEAD, GET, POST, OPTIONS"
