"""The service's settings: read once from the environment, at cold start, into one frozen value.

Owns every environment variable of our own; nothing below this module reads the environment. Nothing is
guessed: a value that cannot be right stops the cold start with a message that names the variable. (Powertools reads its
own POWERTOOLS_* variables.)
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from recognizer.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Access = Literal["NONE", "AWS_IAM", "JWT", "KEY"]
ACCESSES: tuple[Access, ...] = ("NONE", "AWS_IAM", "JWT", "KEY")

_RECOGNIZER = Path(__file__).resolve().parent.parent
_MIB = 1024 * 1024

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: 1,769 MB of memory come with one vCPU.
_LAMBDA_MB_PER_CPU = 1769
_PICTURES_SHARE = 0.55
_CGROUP_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")

_WEB_PORTS: frozenset[int] | None = frozenset({80, 443})
_T = TypeVar("_T")


class Buckets(NamedTuple):
    """Where pictures are uploaded to, and where their results go.

    Attributes:
        uploads: name of the bucket that is watched.
        results: name of the other one.
        origins: scheme and host that a browser meets them at.
    """

    uploads: str
    results: str
    origins: tuple[str, ...]


class Settings(NamedTuple):
    """What an operator can change; docs/configuration.md has the same table.

    Attributes:
        model_dir: folder that ``model_build`` wrote (MODEL_DIR).
        threads: threads of one inference; by default as many as the CPUs it may use (THREADS).
        max_bytes: largest download, counted after content decoding (MAX_BYTES).
        max_pixels: largest picture, width times height (MAX_PIXELS).
        download_timeout_s: one deadline over the whole download, from DNS to the last byte (DOWNLOAD_TIMEOUT).
        allowed_ports: ports a picture's URL may name; None means any (ALLOWED_URL_PORTS, ``*`` for any).
        allowed_hosts: hosts a picture's URL may name, not yet judged; empty means any (ALLOWED_URL_HOSTS).
        allow_private: whether addresses that are not global unicast may be called (ALLOW_PRIVATE_ADDRESSES).
        max_response_bytes: largest response body before base64 (MAX_RESPONSE_BYTES).
        picture_timeout_s: for all that is done with a picture once it is here (PICTURE_TIMEOUT).
        picture_memory_bytes: what that may take; by default a share of the function's memory (PICTURE_MEMORY_MB).
        plain_px: plain JPEGs up to this size are worked on in the service's own process; 0 for none (PLAIN_PIXELS).
        is_traced: whether X-Ray gets a trace of the steps (POWERTOOLS_TRACE_DISABLED, as Powertools has it).
        cache_max_age_s: Cache-Control of pictures and detections; 0 forbids storing (CACHE_MAX_AGE).
        access: who checks those who ask for what is costly: nobody, the gateway, or with KEY we (ACCESS).
        access_keys: the SHA-256 of each key (ACCESS_KEY_SHA256, hexadecimal, separated by commas).
        release: the number of this version of the function (AWS_LAMBDA_FUNCTION_VERSION, as Lambda has it).
        is_snapshot: whether Lambda takes a snapshot of the started service (AWS_LAMBDA_INITIALIZATION_TYPE, as Lambda
            has it).
        origin_secret: the SHA-256 of what a distribution in front sends as X-Origin-Secret; None where there is no such
            distribution (ORIGIN_SECRET).
        buckets: where pictures are uploaded to and where their results go; None where there are no such buckets
            (UPLOADS_BUCKET, RESULTS_BUCKET).
        uploads_options: options of every upload that names none of its own, as a query (UPLOADS_OPTIONS, ``n=5``).
        compat: other services whose clients are answered too, not yet judged; empty for none (COMPAT).
    """

    model_dir: Path
    threads: int
    max_bytes: int
    max_pixels: int
    download_timeout_s: float
    allowed_ports: frozenset[int] | None
    allowed_hosts: frozenset[str]
    allow_private: bool
    max_response_bytes: int
    picture_timeout_s: float
    picture_memory_bytes: int
    plain_px: int
    is_traced: bool
    cache_max_age_s: int
    access: Access
    access_keys: frozenset[bytes]
    origin_secret: bytes | None
    release: str
    is_snapshot: bool
    buckets: Buckets | None
    uploads_options: str
    compat: tuple[str, ...]

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that an environment describes; an unset or empty variable means its default.

        Raises:
            InvalidSetting: a variable's value cannot be used; the message names it.
        """
        access = _read(environ, "ACCESS", ACCESSES[0], _access)
        access_keys: frozenset[bytes] = _read(environ, "ACCESS_KEY_SHA256", frozenset(), _digests, is_secret=True)
        if access == "KEY" and not access_keys:
            raise InvalidSetting(
                "ACCESS is KEY, but ACCESS_KEY_SHA256 names no key. Name the SHA-256 of each: printf %s KEY | sha256sum"
            )
        return cls(
            model_dir=_read(environ, "MODEL_DIR", _RECOGNIZER / "model", Path),
            threads=_read(environ, "THREADS", available_cpus(environ), _whole(1, 64)),
            max_bytes=_read(environ, "MAX_BYTES", 20 * _MIB, _whole(1, 200 * _MIB)),
            max_pixels=_read(environ, "MAX_PIXELS", 50_000_000, _whole(1, 200_000_000)),
            download_timeout_s=_read(environ, "DOWNLOAD_TIMEOUT", 10.0, _seconds),
            allowed_ports=_read(environ, "ALLOWED_URL_PORTS", _WEB_PORTS, _ports),
            allowed_hosts=_read(environ, "ALLOWED_URL_HOSTS", frozenset(), _hosts),
            allow_private=_read(environ, "ALLOW_PRIVATE_ADDRESSES", False, _boolean),  # noqa: FBT003
            max_response_bytes=_read(environ, "MAX_RESPONSE_BYTES", 4_500_000, _whole(10_000, 4_650_000)),
            picture_timeout_s=_read(environ, "PICTURE_TIMEOUT", 15.0, _seconds),
            picture_memory_bytes=_read(environ, "PICTURE_MEMORY_MB", _picture_memory_mb(environ), _whole(64, 10_240))
            * _MIB,
            plain_px=_read(environ, "PLAIN_PIXELS", 1_000_000, _whole(0, 1_000_000)),
            is_traced=not _read(environ, "POWERTOOLS_TRACE_DISABLED", True, _boolean),  # noqa: FBT003
            cache_max_age_s=_read(environ, "CACHE_MAX_AGE", 3600, _whole(0, 31_536_000)),
            access=access,
            access_keys=access_keys,
            origin_secret=_read(environ, "ORIGIN_SECRET", None, _digest, is_secret=True),
            release=environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            is_snapshot=environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start",
            buckets=_buckets(environ),
            uploads_options=environ.get("UPLOADS_OPTIONS", "").strip(),
            compat=_listed(environ.get("COMPAT", "")),
        )


def _buckets(environ: Mapping[str, str]) -> Buckets | None:
    uploads, results = (environ.get(name, "").strip() for name in ("UPLOADS_BUCKET", "RESULTS_BUCKET"))
    if not uploads and not results:
        return None
    if not uploads or not results or uploads == results:
        raise InvalidSetting(
            f"UPLOADS_BUCKET is {uploads!r} and RESULTS_BUCKET is {results!r}: name two different buckets, or none. "
            "A result in the bucket that is watched would be taken for an upload."
        )
    return Buckets(uploads, results, tuple(dict.fromkeys(_origin(environ, name) for name in (uploads, results))))


def _origin(environ: Mapping[str, str], bucket: str) -> str:
    """Where a bucket is: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html."""
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return endpoint.rstrip("/")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{bucket}.s3.{region}.{suffix}"


def _picture_memory_mb(environ: Mapping[str, str]) -> int:
    """What pictures may take of the function's memory: the rest is the engine's, its model's and the libraries'."""
    memory_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if memory_mb.isascii() and memory_mb.isdigit():
        return max(64, int(_PICTURES_SHARE * int(memory_mb)))
    return 1024


def available_cpus(environ: Mapping[str, str]) -> int:
    """How many CPUs this process may use, at least 1: the least of its affinity, its container's and Lambda's quota."""
    # macOS has no affinity.
    counts = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    memory_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if memory_mb.isascii() and memory_mb.isdigit():
        counts.append(math.ceil(int(memory_mb) / _LAMBDA_MB_PER_CPU))
    try:
        quota, period = _CGROUP_CPU_MAX.read_text(encoding="ascii").split()
        counts.append(math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        pass  # no cgroup v2, or the quota is "max"
    return max(1, min(counts))


def _read(
    environ: Mapping[str, str], name: str, default: _T, parse: Callable[[str], _T], *, is_secret: bool = False
) -> _T:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        # Whoever confuses a key with its digest must not find the key in the log.
        value = "cannot be used" if is_secret else f"is {text!r}"
        raise InvalidSetting(f"The environment variable {name} {value}: {error}.") from error


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"it must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 25.0:  # noqa: PLR2004 - API Gateway gives up at 30 s
        raise ValueError("it must be a number of seconds from 0.1 to 25")
    return seconds


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("it must be true or false")
    return text.lower() == "true"


def _ports(text: str) -> frozenset[int] | None:
    if text == "*":
        return None
    parse = _whole(1, 65535)
    try:
        return frozenset(parse(port.strip()) for port in text.split(","))
    except ValueError as error:
        raise ValueError("it must be ports from 1 to 65535 separated by commas, or * for any") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _hosts(text: str) -> frozenset[str]:
    hosts = frozenset(_listed(text))
    if not hosts:  # an empty list would mean any host
        raise ValueError("it must be hosts separated by commas")
    return hosts


def _access(text: str) -> Access:
    for access in ACCESSES:
        if text.upper() == access:
            return access
    raise ValueError(f"it must be one of {', '.join(ACCESSES)}")


def _digests(text: str) -> frozenset[bytes]:
    digests = [digest.strip() for digest in text.split(",")]
    if not all(re.fullmatch("[0-9a-fA-F]{64}", digest) for digest in digests):
        raise ValueError(
            "it must be SHA-256 digests of 64 hexadecimal digits, separated by commas: printf %s KEY | sha256sum"
        )
    return frozenset(map(bytes.fromhex, digests))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
