"""The environment becomes one frozen value, or stops the start with the variable's name."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from recognizer import settings
from recognizer.errors import InvalidSetting
from recognizer.settings import Settings, available_cpus

from tests.conftest import ROOT

DIGEST = hashlib.sha256(b"key").hexdigest()


@pytest.fixture(autouse=True)
def _machine_of_eight_cpus(monkeypatch, tmp_path):
    """Eight CPUs, no container: the machine that runs the tests must not show through."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(settings, "_CGROUP_CPU_MAX", tmp_path / "cpu.max")


def read(**environ):
    return Settings.from_environ(environ)


def test_an_empty_environment_gives_the_documented_defaults():
    assert read() == Settings(
        model_dir=ROOT / "src" / "Recognizer" / "model",
        threads=8,
        max_bytes=20 * 1024 * 1024,
        max_pixels=50_000_000,
        download_timeout_s=10.0,
        allowed_ports=frozenset({80, 443}),
        allowed_hosts=frozenset(),
        allow_private=False,
        max_response_bytes=4_500_000,
        picture_timeout_s=15.0,
        picture_memory_bytes=1024 * 1024 * 1024,
        plain_px=1_000_000,
        is_traced=False,
        cache_max_age_s=3600,
        access="NONE",
        access_keys=frozenset(),
        origin_secret=None,
        release="",
        is_snapshot=False,
        buckets=None,
        uploads_options="",
        compat=(),
    )


@pytest.mark.parametrize("text", ["", "  "])
def test_blank_variables_mean_their_defaults(text):
    names = ["MODEL_DIR", "THREADS", "MAX_BYTES", "ALLOWED_URL_PORTS", "ALLOWED_URL_HOSTS", "ALLOW_PRIVATE_ADDRESSES"]
    names += ["ACCESS", "ACCESS_KEY_SHA256", "ORIGIN_SECRET"]

    assert read(**dict.fromkeys(names, text)) == read()


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "value"),
    [
        ("MODEL_DIR", "/opt/model", "model_dir", Path("/opt/model")),
        ("THREADS", "1", "threads", 1),
        ("AWS_LAMBDA_FUNCTION_VERSION", "12", "release", "12"),
        ("THREADS", " 64 ", "threads", 64),
        ("MAX_BYTES", "1000", "max_bytes", 1000),
        ("MAX_PIXELS", "1000000", "max_pixels", 1_000_000),
        ("DOWNLOAD_TIMEOUT", "2.5", "download_timeout_s", 2.5),
        ("DOWNLOAD_TIMEOUT", "25", "download_timeout_s", 25.0),
        ("ALLOWED_URL_PORTS", "443, 8443", "allowed_ports", frozenset({443, 8443})),
        ("ALLOWED_URL_PORTS", "*", "allowed_ports", None),
        (
            "ALLOWED_URL_HOSTS",
            "Example.COM, *.example.org,",
            "allowed_hosts",
            frozenset({"Example.COM", "*.example.org"}),
        ),
        ("ALLOWED_URL_HOSTS", "2001:db8::1,[::1]", "allowed_hosts", frozenset({"2001:db8::1", "[::1]"})),
        (
            "ALLOWED_URL_HOSTS",
            "https://a/b:1",
            "allowed_hosts",
            frozenset({"https://a/b:1"}),
        ),  # judged by the fetch wing
        ("ALLOW_PRIVATE_ADDRESSES", "TRUE", "allow_private", True),
        ("ACCESS", "jwt", "access", "JWT"),
        ("ACCESS", "AWS_IAM", "access", "AWS_IAM"),
        ("ACCESS_KEY_SHA256", DIGEST, "access_keys", frozenset({bytes.fromhex(DIGEST)})),
        ("ACCESS_KEY_SHA256", f"{DIGEST.upper()} , {'0' * 64}", "access_keys", {bytes.fromhex(DIGEST), bytes(32)}),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start", "is_snapshot", True),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand", "is_snapshot", False),
        ("ORIGIN_SECRET", "key", "origin_secret", bytes.fromhex(DIGEST)),
        ("ALLOW_PRIVATE_ADDRESSES", "false", "allow_private", False),
        ("MAX_RESPONSE_BYTES", "4650000", "max_response_bytes", 4_650_000),
        ("CACHE_MAX_AGE", "0", "cache_max_age_s", 0),
        ("PICTURE_TIMEOUT", "2.5", "picture_timeout_s", 2.5),
        ("PICTURE_MEMORY_MB", "300", "picture_memory_bytes", 300 * 1024 * 1024),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2000", "picture_memory_bytes", 1100 * 1024 * 1024),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much", "picture_memory_bytes", 1024 * 1024 * 1024),
    ],
)
def test_a_variable_is_read(variable, text, attribute, value):
    assert getattr(read(**{variable: text}), attribute) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("THREADS", "0"),
        ("THREADS", "65"),
        ("THREADS", "two"),
        ("THREADS", "1.5"),
        ("THREADS", "\u0663"),
        ("MAX_BYTES", "-1"),
        ("MAX_BYTES", "20MB"),
        ("MAX_BYTES", "999999999999"),
        ("MAX_PIXELS", "0"),
        ("MAX_PIXELS", "1e6"),
        ("DOWNLOAD_TIMEOUT", "0"),
        ("DOWNLOAD_TIMEOUT", "30"),
        ("DOWNLOAD_TIMEOUT", "nan"),
        ("DOWNLOAD_TIMEOUT", "soon"),
        ("ALLOWED_URL_PORTS", "0"),
        ("ALLOWED_URL_PORTS", "80,"),
        ("ALLOWED_URL_PORTS", "65536"),
        ("ALLOWED_URL_PORTS", "http"),
        ("ALLOWED_URL_HOSTS", ","),
        ("ALLOWED_URL_HOSTS", ", ,"),
        ("ALLOW_PRIVATE_ADDRESSES", "yes"),
        ("ALLOW_PRIVATE_ADDRESSES", "1"),
        ("ACCESS", "OPEN"),
        ("MAX_RESPONSE_BYTES", "9999"),
        ("MAX_RESPONSE_BYTES", "6291556"),
        ("CACHE_MAX_AGE", "-1"),
        ("CACHE_MAX_AGE", "1h"),
    ],
)
def test_a_value_that_cannot_be_right_stops_the_start_and_names_the_variable(variable, text):
    with pytest.raises(InvalidSetting, match=rf"{variable} is '{text}': it must be "):
        read(**{variable: text})


def test_the_largest_response_fits_into_lambdas_reply_as_base64():
    largest = read(MAX_RESPONSE_BYTES="4650000").max_response_bytes
    base64_bytes = -(-largest // 3) * 4
    headers_bytes = 8 * 1024

    assert base64_bytes + headers_bytes < 6_291_556


def test_every_setting_has_its_variable_documented():
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    variables = {attribute.rpartition("(")[2] for attribute in (Settings.__doc__ or "").split(").") if "(" in attribute}
    variables = {variable.split(",")[0].strip(" )") for variable in variables}

    assert len(variables) == len(Settings._fields)
    assert variables <= documented


@pytest.mark.parametrize(
    ("environ", "origins"),
    [
        ({}, ("https://in.s3.us-east-1.amazonaws.com", "https://out.s3.us-east-1.amazonaws.com")),
        (
            {"AWS_REGION": "cn-north-1"},
            ("https://in.s3.cn-north-1.amazonaws.com.cn", "https://out.s3.cn-north-1.amazonaws.com.cn"),
        ),
        ({"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, ("http://127.0.0.1:4566",)),
    ],
)
def test_buckets_are_met_where_they_are(environ, origins):
    buckets = read(UPLOADS_BUCKET="in", RESULTS_BUCKET="out", **environ).buckets

    assert buckets is not None
    assert (buckets.uploads, buckets.results, buckets.origins) == ("in", "out", origins)


def test_threads_default_to_the_cpus_that_the_process_may_run_on():
    assert available_cpus({}) == 8


@pytest.mark.parametrize(("memory_mb", "cpus"), [("128", 1), ("1769", 1), ("1770", 2), ("3008", 2), ("10240", 6)])
def test_lambda_memory_limits_the_cpus(memory_mb, cpus):
    assert available_cpus({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory_mb}) == cpus


@pytest.mark.parametrize(
    ("text", "cpus"), [("120000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 8), ("", 8)]
)
def test_a_containers_quota_limits_the_cpus(monkeypatch, tmp_path, text, cpus):
    (tmp_path / "cpu.max").write_text(text, encoding="ascii")

    assert available_cpus({}) == cpus


def test_the_least_of_all_limits_counts(tmp_path):
    (tmp_path / "cpu.max").write_text("300000 100000\n", encoding="ascii")

    assert available_cpus({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "10240"}) == 3


def test_without_affinity_all_cpus_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)

    assert available_cpus({}) == 5


def test_a_machine_that_does_not_tell_has_one_cpu(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)

    assert available_cpus({}) == 1


def test_threads_are_what_the_operator_says_even_beyond_the_cpus():
    assert read(THREADS="16").threads == 16


@pytest.mark.parametrize("text", ["the key itself", f"{DIGEST},", f"{DIGEST};{DIGEST}", DIGEST[1:], f"{DIGEST}0"])
def test_what_is_no_digest_of_a_key_stops_the_start_and_is_not_repeated(text):
    """It may be the key itself, and the message goes to the log."""
    with pytest.raises(InvalidSetting, match=r"ACCESS_KEY_SHA256 cannot be used: .*sha256sum") as refused:
        read(ACCESS="KEY", ACCESS_KEY_SHA256=text)

    assert text not in str(refused.value)


def test_to_ask_for_a_key_without_knowing_any_stops_the_start():
    with pytest.raises(InvalidSetting, match="ACCESS_KEY_SHA256 names no key"):
        read(ACCESS="KEY")


def test_no_secret_is_held_as_it_is():
    held = read(ACCESS="KEY", ACCESS_KEY_SHA256=DIGEST, ORIGIN_SECRET="the secret itself")

    assert "the secret itself" not in repr(held)
