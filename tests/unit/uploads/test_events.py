"""What messages of the queue tell of, whichever way S3 tells it, and what is none of its events."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given
from recognizer.uploads.events import ObjectCreated, UnreadableMessage, is_later, objects_in

SEQUENCER = "0055AED6DCD90281E5"


def notification(key, *, name="ObjectCreated:Put", **more):
    stored = {"key": key, "size": 3, "versionId": "v1", "sequencer": SEQUENCER, **more}
    return {"Records": [{"eventName": name, "s3": {"bucket": {"name": "uploads"}, "object": stored}}]}


def eventbridge(key, kind="Object Created", version="v1"):
    stored = {"key": key, "size": 3, "version-id": version, "sequencer": SEQUENCER}
    return {"detail-type": kind, "detail": {"bucket": {"name": "uploads"}, "object": stored}}


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("cat.jpg", "cat.jpg"),
        ("My+dog.jpg", "My dog.jpg"),
        ("1%2B1%3D2.jpg", "1+1=2.jpg"),
        ("%E6%97%A5%E6%9C%AC/caf%C3%A9.jpg", "日本/café.jpg"),
        ("100%25.jpg", "100%.jpg"),
        ("a//b/%2E%2E/c", "a//b/../c"),
    ],
)
def test_keys_of_notifications_are_decoded(encoded, key):
    assert objects_in(json.dumps(notification(encoded))) == (ObjectCreated("uploads", key, "v1", SEQUENCER, 3),)


@pytest.mark.parametrize("key", ["My+dog.jpg", "100%25.jpg", "My dog.jpg"])
def test_keys_of_eventbridge_are_as_they_are(key):
    assert objects_in(json.dumps(eventbridge(key))) == (ObjectCreated("uploads", key, "v1", SEQUENCER, 3),)


@pytest.mark.parametrize(
    "name", ["ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Post"]
)
def test_every_way_to_create_an_object_counts(name):
    assert len(objects_in(json.dumps(notification("cat.jpg", name=name)))) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"},
        notification("cat.jpg", name="ObjectRemoved:Delete"),
        eventbridge("cat.jpg", "Object Deleted"),
        {"Records": []},
    ],
)
def test_other_events_tell_of_nothing(event):
    assert objects_in(json.dumps(event)) == ()


def test_a_message_can_tell_of_several_objects():
    one, other = notification("one.jpg")["Records"], notification("other.jpg")["Records"]

    assert [created.key for created in objects_in(json.dumps({"Records": one + other}))] == ["one.jpg", "other.jpg"]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"Records": [{}]}',
        '{"detail-type": "Object Created"}',
        "[" * 100_000,
        json.dumps(notification("%FF.jpg")),
    ],
)
def test_what_is_no_event_is_named_so(message):
    with pytest.raises(UnreadableMessage, match="no event of a versioned S3 bucket"):
        objects_in(message)


def test_a_bucket_without_versions_is_refused():
    event = notification("cat.jpg")
    del event["Records"][0]["s3"]["object"]["versionId"]

    with pytest.raises(UnreadableMessage, match="versionId"):
        objects_in(json.dumps(event))


def test_a_version_that_the_next_one_replaces_is_refused():
    for event in (notification("cat.jpg", versionId="null"), eventbridge("cat.jpg", version="null")):
        with pytest.raises(UnreadableMessage, match="versioning"):
            objects_in(json.dumps(event))


@pytest.mark.parametrize(("key", "size", "is_folder"), [("a/", 0, True), ("a/", 3, False), ("a", 0, False)])
def test_only_an_empty_object_whose_key_ends_in_a_slash_is_a_folder(key, size, is_folder):
    [created] = objects_in(json.dumps(notification(key, size=size)))

    assert created.is_folder is is_folder


@given(st.text("0123456789ABCDEF", min_size=1), st.text("0123456789ABCDEF", min_size=1))
def test_of_two_sequencers_at_most_one_is_later(one, other):
    assert not (is_later(one, other) and is_later(other, one))
    assert is_later(one, other) or is_later(other, one) or one.rstrip("0") == other.rstrip("0")


@pytest.mark.parametrize(
    ("sequencer", "than", "expected"),
    [
        ("02", "01", True),
        ("01", "01", False),
        ("01", "0100", False),
        ("0101", "01", True),
        ("1", "0F", True),
        ("0A", "0b", False),
        ("0b", "0A", True),
    ],
)
def test_sequencers_are_compared_from_the_left(sequencer, than, expected):
    assert is_later(sequencer, than) is expected
