"""Outcomes and errors become answers of exactly the documented shape."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import AddressNotAllowed, DownloadFailed, InternalError, InvalidParameter, MethodNotAllowed
from recognizer.http.headers import EXPOSED_HEADERS, MAX_HEADER_BYTES
from recognizer.http.responses import detected, problem
from recognizer.job import DetectRequest, ModelIdentity, Outcome
from recognizer.pictures import Encoded

DOG = Label("/m/0bt9lr", "Dog")
FOUND = Detection(DOG, 0.93456789, Box(ymin=0.1, xmin=0.25, ymax=0.9, xmax=0.5))
URL = "https://example.com/a.jpg"
MODEL = ModelIdentity("openimages_v4/ssd/mobilenet_v2", "tensorflow", "slim", "12ab", "34cd 7")
OUTCOME = Outcome(
    request=DetectRequest(URL, Criteria(3, 0.1), "json", None),
    source_sha256="ab12",
    source_bytes=1000,
    width_px=400,
    height_px=300,
    format="JPEG",
    animated=False,
    detections=(FOUND,),
    encoded=None,
    timings_ms={"download": 12.34, "decode": 1.0, "detect": 20.06},
)
PICTURE = Encoded(b"\xff\xd8picture", "image/jpeg", "")


def picture_answer(**changes):
    request = OUTCOME.request._replace(answer="image")
    return detected(OUTCOME._replace(request=request, encoded=PICTURE, **changes), MODEL, 3600)


def etag(outcome=OUTCOME, model=MODEL):
    return detected(outcome, model, 3600).headers["ETag"]


def asking(**changes):
    return OUTCOME._replace(request=OUTCOME.request._replace(**changes))


def test_json_has_exactly_the_documented_shape():
    assert json.loads(detected(OUTCOME, MODEL, 3600).body) == {
        "image": {"url": URL, "width": 400, "height": 300, "format": "JPEG", "animated": False},
        "model": {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "tensorflow"},
        "detections": [
            {
                "label": "Dog",
                "id": "/m/0bt9lr",
                "parents": [],
                "score": 0.9346,
                "box": {"xmin": 100, "ymin": 30, "xmax": 200, "ymax": 270},
            }
        ],
    }


def test_json_is_application_json():
    answer = detected(OUTCOME, MODEL, 3600)

    assert (answer.status, answer.media_type) == (200, "application/json")


def test_nothing_found_is_an_empty_list():
    answer = detected(OUTCOME._replace(detections=()), MODEL, 3600)

    assert json.loads(answer.body)["detections"] == []
    assert answer.headers["X-Detection-Count"] == "0"


def test_json_keeps_letters_of_every_script():
    request = OUTCOME.request._replace(url="https://example.com/猫.jpg")

    assert "猫" in detected(OUTCOME._replace(request=request), MODEL, 3600).body


def test_the_picture_goes_out_as_its_bytes():
    answer = picture_answer()

    assert (answer.status, answer.media_type, answer.body) == (200, "image/jpeg", b"\xff\xd8picture")


def test_a_picture_tells_its_detections_in_headers():
    headers = picture_answer().headers

    assert headers["X-Detection-Count"] == "1"
    assert json.loads(headers["X-Detections"]) == [
        {"label": "Dog", "score": 0.9346, "box": {"xmin": 100, "ymin": 30, "xmax": 200, "ymax": 270}}
    ]


@pytest.mark.parametrize("name", ["Dog", "Händler, \u732b", 'quo"ted', "new\nline"])
def test_header_json_is_one_line_of_ascii(name):
    found = replace(FOUND, label=Label("/m/1", name))

    text = picture_answer(detections=(found,)).headers["X-Detections"]

    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)[0]["label"] == name


@given(st.lists(st.text(max_size=300), max_size=100))
def test_a_long_header_is_cut_between_detections_and_remains_json(names):
    found = tuple(replace(FOUND, label=Label("/m/1", name)) for name in names)

    text = picture_answer(detections=found).headers["X-Detections"]

    labels = [detection["label"] for detection in json.loads(text)]
    assert len(text) <= MAX_HEADER_BYTES
    assert labels == names[: len(labels)]


def test_a_cut_out_tells_of_the_object_that_it_shows():
    request = OUTCOME.request._replace(answer="image", crop=True)
    outcome = OUTCOME._replace(request=request, encoded=PICTURE, detections=(FOUND, FOUND))

    headers = detected(outcome, MODEL, 3600).headers

    assert (headers["X-Detection-Count"], len(json.loads(headers["X-Detections"]))) == ("1", 1)


def test_a_cut_header_still_counts_all_detections():
    headers = picture_answer(detections=(FOUND,) * 100).headers

    assert headers["X-Detection-Count"] == "100"
    assert 10 < len(json.loads(headers["X-Detections"])) < 100


def test_timings_are_given_by_step_in_their_order():
    assert (
        detected(OUTCOME, MODEL, 3600).headers["Server-Timing"] == "download;dur=12.3, decode;dur=1.0, detect;dur=20.1"
    )


def test_a_reduced_picture_says_so():
    answer = picture_answer()
    smaller = detected(OUTCOME._replace(encoded=PICTURE._replace(reduced="quality=55, width=9, height=9")), MODEL, 3600)

    assert "X-Image-Reduced" not in answer.headers
    assert smaller.headers["X-Image-Reduced"] == "quality=55, width=9, height=9"


def test_the_model_is_named():
    assert picture_answer().headers["X-Model"] == "openimages_v4/ssd/mobilenet_v2; engine=tensorflow"


@pytest.mark.parametrize(
    ("max_age_s", "expected"), [(3600, "public, max-age=3600"), (1, "public, max-age=1"), (0, "no-store")]
)
def test_caching_is_as_long_as_set(max_age_s, expected):
    assert detected(OUTCOME, MODEL, max_age_s).headers["Cache-Control"] == expected


def test_caches_tell_the_answers_to_accept_headers_apart():
    assert "Accept" in detected(OUTCOME, MODEL, 3600).headers["Vary"]


def test_every_header_of_ours_can_be_read_across_origins():
    headers = detected(OUTCOME._replace(encoded=PICTURE._replace(reduced="quality=55")), MODEL, 3600).headers
    ours = {name for name in headers if name.startswith("X-")}

    assert ours <= set(EXPOSED_HEADERS)


def test_an_etag_is_quoted():
    assert etag().startswith('"')
    assert etag().endswith('"')


def test_the_same_request_has_the_same_etag():
    later = OUTCOME._replace(timings_ms={"download": 99.0})

    assert etag(later) == etag()


@pytest.mark.parametrize(
    "outcome",
    [
        OUTCOME._replace(source_sha256="cd34"),
        asking(criteria=Criteria(4, 0.1)),
        asking(criteria=Criteria(3, 0.2)),
        asking(criteria=Criteria(3, 0.1, frozenset({1}))),
        asking(criteria=Criteria(3, 0.1, frozenset())),
        asking(answer="image"),
        asking(image_format="PNG"),
        asking(url="https://example.com/b.jpg"),
        asking(draw="blur"),
        asking(crop=True),
    ],
    ids=["source", "n", "min_score", "include", "nothing", "answer", "image_format", "url", "draw", "crop"],
)
def test_the_etag_changes_with_source_and_options(outcome):
    assert etag(outcome) != etag()


@pytest.mark.parametrize("change", [{"sha256": "cd34"}, {"engine": "litert"}, {"graph": "published"}])
def test_the_etag_changes_with_the_model(change):
    assert etag(model=MODEL._replace(**change)) != etag()


def test_a_problem_has_exactly_the_documented_shape():
    answer = problem(InvalidParameter("n must be …", parameter="n"), "id-1")

    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    assert json.loads(answer.body) == {
        "type": "urn:problem-type:recognizer:invalid-parameter",
        "title": "Invalid parameter",
        "status": 400,
        "detail": "n must be …",
        "parameter": "n",
        "request_id": "id-1",
    }


def test_a_problem_leaves_out_what_it_does_not_know():
    document = json.loads(problem(InternalError("Something went wrong."), None).body)

    assert set(document) == {"type", "title", "status", "detail"}


def test_a_problem_upstream_gives_its_status():
    assert (
        json.loads(problem(DownloadFailed("It answered 404.", upstream_status=404), None).body)["upstream_status"]
        == 404
    )


def test_a_problem_is_never_cached():
    assert problem(AddressNotAllowed("No."), None).headers["Cache-Control"] == "no-store"


def test_a_problem_carries_the_headers_of_its_status():
    assert problem(MethodNotAllowed("No.", headers={"Allow": "GET"}), None).headers["Allow"] == "GET"
