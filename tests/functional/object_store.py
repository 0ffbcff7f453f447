"""S3 on loopback, as far as the service and its page use it: versions, conditional writes, forms, and their errors.

The edge of AWS: everything on this side of it, botocore included, is the real thing. `make cloud` runs the same against
another implementation. Owns what S3 answers; that signatures are right is not checked.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from dataclasses import dataclass, field
from email.header import Header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import multipart
from recognizer.uploads import storage

MODIFIED = "Sun, 01 Nov 2026 12:00:00 GMT"
METADATA = "x-amz-meta-"
MAX_METADATA_BYTES = 2048


def use(store, monkeypatch):
    """Empties a store and has botocore go there until the test is over; its retries do not wait."""
    variables = {"AWS_ENDPOINT_URL": store.url, "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    storage._client.cache_clear()
    store.clear()


@dataclass(frozen=True)
class Version:
    """One version of an object."""

    id: str
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self):
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'


class ObjectStore(ThreadingHTTPServer):
    """Buckets of versions on 127.0.0.1.

    Attributes:
        objects: (bucket, key) -> its versions, oldest first.
        failing: keys whose requests are answered with 503.
        conflicts: key -> how many of the next conditional writes meet another one of the same moment.
        before_put: called before an object is written, with bucket and key; what it writes comes first.
        before_post: called before a form is read, with the bucket.
        after_post: called when what a form held is there, with bucket, key and version.
        cors: bucket -> methods that pages of any origin may use there.
        is_versioned: whether answers name versions.
        asked: every request so far, as (method, bucket, key).
    """

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.objects: dict[tuple[str, str], list[Version]] = {}
        self.failing: set[str] = set()
        self.cors: dict[str, set[str]] = {}
        self.conflicts: dict[str, int] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.clear()
        self.lock = threading.Lock()
        self._count = 0
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def clear(self):
        """As if nothing had happened."""
        self.objects.clear()
        self.failing.clear()
        self.conflicts.clear()
        self.is_versioned = True
        self.asked.clear()
        self.before_put = lambda bucket, key: None
        self.before_post = lambda bucket: None
        self.after_post = lambda bucket, key, version_id: None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, bucket, key, content, version_id=None, **headers):
        """Stores a version; its id."""
        self._count += 1
        version = Version(version_id or f"version{self._count:08}", content, headers)
        self.objects.setdefault((bucket, key), []).append(version)
        return version.id

    def content(self, bucket, key):
        """The newest version's bytes."""
        return self.objects[bucket, key][-1].content

    def keys(self, bucket):
        return sorted(key for name, key in self.objects if name == bucket)

    def version(self, bucket, key, version_id=None):
        versions = self.objects.get((bucket, key), [])
        return next((each for each in reversed(versions) if version_id in {None, each.id}), None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ObjectStore

    def _begin(self):
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path)[1:].partition("/")
        self.server.asked.append((self.command, bucket, key))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if key in self.server.failing:
            self._fail(503, "SlowDown")
            return None
        version_id = parse_qs(parts.query).get("versionId", [None])[0]
        return bucket, key, version_id, body

    def do_GET(self):
        if (asked := self._begin()) is None:
            return
        bucket, key, version_id, _ = asked
        version = self.server.version(bucket, key, version_id)
        if version is None:
            self._fail(404, "NoSuchVersion" if version_id else "NoSuchKey")
            return
        kept = {name: _in_ascii(text) for name, text in version.headers.items()}
        headers = {"ETag": version.etag, "Last-Modified": MODIFIED, "x-amz-version-id": version.id, **kept}
        self._answer(200, version.content, headers)

    do_HEAD = do_GET  # noqa: N815

    def do_OPTIONS(self):
        if (asked := self._begin()) is None:
            return
        if self.headers.get("Access-Control-Request-Method") not in self.server.cors.get(asked[0], ()):
            self._fail(403, "AccessForbidden")
            return
        self._answer(200, b"", {"Access-Control-Allow-Headers": self.headers.get("Access-Control-Request-Headers", "")})

    def do_POST(self):
        """A form, judged by its policy as S3 does it; its signature and the time are not."""
        bucket = unquote(urlsplit(self.path).path)[1:].partition("/")[0]
        self.server.before_post(bucket)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        boundary = multipart.parse_options_header(self.headers["Content-Type"])[1]["boundary"]
        whole = {"content_length": len(body), "memory_limit": len(body), "spool_limit": len(body)}
        *fields, file = multipart.MultipartParser(io.BytesIO(body), boundary, **whole)
        given = {field.name: field.raw.decode() for field in fields}
        self.server.asked.append((self.command, bucket, given["key"]))
        for condition in json.loads(base64.b64decode(given["policy"]))["conditions"]:
            if isinstance(condition, list):
                _, least, most = condition
                if not least <= file.size <= most:
                    self._fail(400, "EntityTooLarge" if file.size > most else "EntityTooSmall")
                    return
            elif any({"bucket": bucket, **given}.get(name) != value for name, value in condition.items()):
                self._fail(403, "AccessDenied")
                return
        kept = {name: text for name, text in given.items() if name.lower().startswith(("content-type", METADATA))}
        if metadata_bytes(kept) > MAX_METADATA_BYTES:
            self._fail(400, "MetadataTooLarge")
            return
        version_id = self.server.put(bucket, given["key"], file.raw, **kept)
        self.server.after_post(bucket, given["key"], version_id)
        self._answer(204, b"", {})

    def do_PUT(self):
        if (asked := self._begin()) is None:
            return
        bucket, key, _, body = asked
        self.server.before_put(bucket, key)
        with self.server.lock:
            if refusal := self._refusal(bucket, key):
                self._fail(*refusal)
                return
            kept = {
                name: text for name, text in self.headers.items() if name.lower().startswith(("content-type", METADATA))
            }
            if metadata_bytes(kept) > MAX_METADATA_BYTES:
                self._fail(400, "MetadataTooLarge")
                return
            version_id = self.server.put(bucket, key, body, **kept)
        version = self.server.version(bucket, key, version_id)
        told = {"x-amz-version-id": version_id} if self.server.is_versioned else {}
        self._answer(200, b"", {"ETag": version.etag, **told})

    def _refusal(self, bucket, key):
        """Status and code, where the conditions of a write do not hold.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        known = self.server.version(bucket, key)
        is_new, if_match = self.headers.get("If-None-Match") == "*", self.headers.get("If-Match")
        if (is_new or if_match) and self.server.conflicts.get(key):
            self.server.conflicts[key] -= 1
            return 409, "ConditionalRequestConflict"
        if if_match and known is None:
            return 404, "NoSuchKey"
        if (is_new and known) or (if_match and known.etag != if_match):
            return 412, "PreconditionFailed"
        return None

    def _fail(self, status, code):
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode(), {})

    def _answer(self, status, content, headers):
        self.send_response(status)
        method = self.headers.get("Access-Control-Request-Method", self.command)
        bucket = unquote(urlsplit(self.path).path)[1:].partition("/")[0]
        if self.headers.get("Origin") and method in self.server.cors.get(bucket, ()):
            headers = {**headers, "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": method}
        # One connection for each request: closing waits for every handler, and botocore would keep its connection.
        for name, value in {"Content-Length": str(len(content)), "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args):
        """Says nothing."""


def metadata_bytes(headers):
    """How many bytes S3 counts: of each name, without what begins it, and of each value."""
    named = {name.lower().removeprefix(METADATA): text for name, text in headers.items() if METADATA in name.lower()}
    return sum(len(name.encode()) + len(text.encode()) for name, text in named.items())


def _in_ascii(text):
    """As S3 answers: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html"""
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=10_000).encode(linesep="")
