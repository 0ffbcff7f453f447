"""``python -m model_build``: a model from a folder, an archive or an address, whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import socket
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from model_build import fallback, mirror, sources
from model_build.__main__ import main
from model_build.sources import KAGGLE_ARCHIVE, PUBLISHED_ARCHIVE, PUBLISHED_HANDLE
from recognizer.vision.model import Model
from tensorflow.core.protobuf import saved_model_pb2

from tests.conftest import ROOT, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.tiny_model import build_tiny_model

pytestmark = [on_loopback, pytest.mark.usefixtures("tiny_model")]  # it sets TensorFlow's threads before its first use

OUTPUTS = ("detection_boxes", "detection_class_entities", "detection_class_names", "detection_scores")
PICTURE = {"images": (1, None, None, 3)}
FALLBACK = ROOT / ".cache" / "fallback" / fallback.PACKAGE.tarball


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return build_tiny_model(tmp_path_factory.mktemp("published") / "saved_model")


def packed(files):
    """A .tar.gz of these names and contents; a folder stands for its files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, bytes):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                tar.add(content, name)
    return file.getvalue()


@pytest.fixture(scope="module")
def archive(published):
    """The model as TF Hub delivers it: the files without a folder round them."""
    return packed({".": published})


@pytest.fixture
def build(tmp_path, monkeypatch, caplog):
    """Runs the command with folders of the test's own; tells its exit code, and keeps what it said in ``said()``."""
    for name in ("MODEL_URL", "MODEL_SHA256", "ENGINE"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        caplog.clear()
        return main([*map(str, arguments), "--output", str(run.output), "--cache", str(run.cache)])

    caplog.set_level("INFO", "model_build")
    run.output, run.cache = tmp_path / "model", tmp_path / "cache"
    run.facts = lambda: json.loads((run.output / "model.json").read_text(encoding="utf-8"))
    run.said = lambda: caplog.text
    return run


@pytest.fixture
def unreachable(monkeypatch, tmp_path):
    """Every address beyond this machine goes through a proxy that is not there."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "hub"))
        yield


def listed(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# Where a model comes from


def test_a_folder_becomes_a_model(build, published):
    assert build("--url", published) == 0

    model = Model.load(build.output)
    assert (model.identity.engine, model.facts["source"]) == ("tensorflow", str(published))


def test_the_labels_are_the_graphs_own(build, published):
    build("--url", published)

    assert Model.load(build.output).labels.by_index[3].name == "Car"


def test_an_archive_becomes_a_model_with_its_digest(build, archive, tmp_path):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(archive)

    assert build("--url", path) == 0
    assert build.facts()["sha256"] == hashlib.sha256(archive).hexdigest()


def test_an_archive_with_a_folder_round_the_model_is_taken(build, published, tmp_path):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(packed({"openimages/1": published}))

    assert build("--url", path) == 0


def test_the_address_may_come_from_the_environment(build, published, monkeypatch):
    monkeypatch.setenv("MODEL_URL", str(published))

    assert build() == 0
    assert build.facts()["source"] == str(published)


def test_an_address_is_downloaded(build, archive):
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(200, archive)}) as server:
        assert build("--url", server.url("/1.tar.gz")) == 0

        assert build.facts()["source"] == server.url("/1.tar.gz")
    assert build.facts()["sha256"] == hashlib.sha256(archive).hexdigest()


class Versions:
    """A route whose file changes when its ``content`` does, and which says so by one of the two ways of HTTP."""

    def __init__(self, content, validator="ETag"):
        self.content, self.validator, self.statuses = content, validator, []

    def __call__(self, exchange):
        digest = hashlib.sha256(self.content).hexdigest()
        date = f"Thu, 01 Jan 2026 00:00:{int(digest[:2], 16) % 60:02} GMT"
        value, condition = {
            "ETag": (f'"{digest}"', "If-None-Match"),
            "Last-Modified": (date, "If-Modified-Since"),
            None: ("", ""),
        }[self.validator]
        headers = {self.validator: value} if self.validator else {}
        self.statuses.append(304 if value and exchange.headers.get(condition) == value else 200)
        exchange.answer(self.statuses[-1], self.content if self.statuses[-1] == 200 else b"", headers)


@pytest.fixture(scope="module")
def other_archive(published):
    return packed({".": published, "assets.extra/version": b"2"})


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified", None])
def test_what_has_changed_at_its_address_is_downloaded_again(build, archive, other_archive, validator):
    route = Versions(archive, validator)
    with LoopbackServer({"/1.tar.gz": route}) as server:
        for content in (archive, archive, other_archive):
            route.content = content
            assert build("--url", server.url("/1.tar.gz")) == 0
            assert build.facts()["sha256"] == hashlib.sha256(content).hexdigest()

    assert route.statuses == [200, 304 if validator else 200, 200]


def test_what_has_the_right_digest_is_not_asked_for_again_and_else_at_once(build, archive, other_archive):
    route = Versions(archive)
    with LoopbackServer({"/1.tar.gz": route}) as server:
        for content, expected in ((archive, archive), (other_archive, archive), (other_archive, other_archive)):
            route.content = content
            digest = hashlib.sha256(expected).hexdigest()
            assert build("--url", server.url("/1.tar.gz"), "--sha256", digest.upper()) == 0
            assert build.facts()["sha256"] == digest

    assert route.statuses == [200, 200]


def test_a_server_that_is_gone_leaves_what_was_downloaded_and_the_build_says_so(build, archive):
    with LoopbackServer({"/1.tar.gz": Versions(archive)}) as server:
        url = server.url("/1.tar.gz")
        assert build("--url", url) == 0
    assert build("--url", url) == 0
    assert "what was fetched from there before is taken" in build.said()

    assert build("--url", url, "--sha256", "0" * 64) == 1


def test_a_file_that_is_withdrawn_is_not_taken_from_the_cache(build, archive):
    routes = {"/1.tar.gz": Versions(archive)}
    with LoopbackServer(routes) as server:
        assert build("--url", server.url("/1.tar.gz")) == 0
        del server.routes["/1.tar.gz"]
        assert build("--url", server.url("/1.tar.gz")) == 1
    assert "it answered 404" in build.said()


def test_the_beginning_of_one_file_never_gets_the_end_of_another(build, large, archive):
    """The file changes while its download is broken off."""

    def changes(exchange):
        if exchange.headers.get("Range") is None:
            exchange.answer(200, large[: len(large) // 2], {"Content-Length": str(len(large)), "ETag": '"1"'})
            exchange.hang_up()
        elif exchange.headers.get("If-Range") == '"1"':
            exchange.answer(200, archive, {"ETag": '"2"'})
        else:
            exchange.answer(206, archive[-10:])

    with LoopbackServer({"/1.tar.gz": changes}) as server:
        assert build("--url", server.url("/1.tar.gz")) == 0
    assert build.facts()["sha256"] == hashlib.sha256(archive).hexdigest()


class Halves:
    """A route that breaks off in the middle of the first answer, and knows ranges."""

    def __init__(self, content, *, ranges=True):
        self.content, self.ranges, self.asked = content, ranges, []

    def __call__(self, exchange):
        self.asked.append(exchange.headers.get("Range"))
        if len(self.asked) == 1:
            exchange.answer(200, self.content[: len(self.content) // 2], {"Content-Length": str(len(self.content))})
            exchange.hang_up()
        elif self.ranges and self.asked[-1]:
            begin = int(self.asked[-1].removeprefix("bytes=").removesuffix("-"))
            span = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
            exchange.answer(206, self.content[begin:], {"Content-Range": span})
        else:
            exchange.answer(200, self.content)


@pytest.fixture(scope="module")
def large(published):
    """An archive of several of the chunks in which downloads are written."""
    return packed({".": published, "assets.extra/noise": np.random.default_rng(5).bytes(5_000_000)})


def test_a_download_that_broke_off_is_resumed(build, large):
    route = Halves(large)
    with LoopbackServer({"/1.tar.gz": route}) as server:
        assert build("--url", server.url("/1.tar.gz")) == 0

    first, second = route.asked
    assert first is None
    assert 1_000_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= len(large) // 2
    assert build.facts()["sha256"] == hashlib.sha256(large).hexdigest()


def test_a_download_that_broke_off_starts_over_where_the_server_knows_no_ranges(build, large):
    with LoopbackServer({"/1.tar.gz": Halves(large, ranges=False)}) as server:
        assert build("--url", server.url("/1.tar.gz")) == 0

    assert build.facts()["sha256"] == hashlib.sha256(large).hexdigest()


# The published model's addresses, and a copy of one's own


@pytest.fixture
def published_at(monkeypatch):
    """Puts the published addresses on a loopback server; the last, TF Hub's, is not reached."""

    def put(server):
        monkeypatch.setattr(sources, "PUBLISHED_ARCHIVE", server.url("/storage/1.tar.gz"))
        monkeypatch.setattr(sources, "KAGGLE_ARCHIVE", server.url("/kaggle/1/download"))
        for name in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
            monkeypatch.delenv(name, raising=False)

    return put


def test_where_the_storage_fails_kaggle_is_asked(build, published, published_at):
    """Kaggle's archive has neither TF Hub's marker nor need of an account."""
    bare = {f"top/{path.relative_to(published)}": path.read_bytes() for path in published.rglob("*") if path.is_file()}
    del bare["top/tfhub_module.pb"]
    with LoopbackServer({"/kaggle/1/download": lambda exchange: exchange.answer(200, packed(bare))}) as server:
        published_at(server)

        assert build() == 0
        assert [request.path for request in server.requests] == ["/storage/1.tar.gz", "/kaggle/1/download"]
        assert server.requests[1].headers["Authorization"] is None
        assert build.facts()["source"] == server.url("/kaggle/1/download")
    assert build.facts()["name"] == "openimages_v4/ssd/mobilenet_v2"


def test_an_account_in_the_environment_is_told_to_kaggle_alone(build, archive, published_at, monkeypatch):
    with LoopbackServer({"/kaggle/1/download": lambda exchange: exchange.answer(200, archive)}) as server:
        published_at(server)
        monkeypatch.setenv("KAGGLE_USERNAME", "somebody")
        monkeypatch.setenv("KAGGLE_KEY", "k")

        assert build() == 0
        assert [request.headers["Authorization"] for request in server.requests] == [None, "Basic c29tZWJvZHk6aw=="]


def test_a_mirror_keeps_a_copy_with_its_digest(build, archive, published_at, tmp_path, capsys):
    with LoopbackServer({"/storage/1.tar.gz": lambda exchange: exchange.answer(200, archive)}) as server:
        published_at(server)
        assert mirror.main([str(tmp_path / "team"), "--cache", str(build.cache)]) == 0

    digest = hashlib.sha256(archive).hexdigest()
    copy = tmp_path / "team" / "openimages_v4_ssd_mobilenet_v2.tar.gz"
    assert capsys.readouterr().out == f"MODEL_URL={copy} MODEL_SHA256={digest}\n"
    assert copy.read_bytes() == archive
    assert copy.with_name(f"{copy.name}.sha256").read_text(encoding="ascii") == f"{digest}  {copy.name}\n"
    assert build("--url", copy, "--sha256", digest) == 0


def test_a_mirror_of_a_folder_is_packed_the_same_each_time(build, published, tmp_path):
    for name in ("one", "other"):
        assert mirror.main([str(tmp_path / name), "--url", str(published), "--cache", str(build.cache)]) == 0

    one, other = (tmp_path / name / "saved_model.tar.gz" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert build("--url", one) == 0


def test_a_mirror_in_s3_has_copy_and_digest(build, archive, tmp_path, monkeypatch, capsys):
    put = {}

    def store(exchange):
        put[exchange.path] = exchange.rfile.read(int(exchange.headers["Content-Length"]))
        exchange.answer(200)

    (tmp_path / "1.tar.gz").write_bytes(archive)
    keys = ["/team/models/1.tar.gz", "/team/models/1.tar.gz.sha256"]
    with LoopbackServer(dict.fromkeys(keys, store)) as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url(""),
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",  # of no account
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        }.items():
            monkeypatch.setenv(name, value)
        options = [str(tmp_path / "1.tar.gz"), "--cache", str(build.cache)]
        assert mirror.main(["s3://team/models/", "--url", *options]) == 0

    assert sorted(put) == keys
    assert put[keys[0]] == archive
    assert capsys.readouterr().out.startswith("MODEL_URL=s3://team/models/1.tar.gz MODEL_SHA256=")


# What is refused, and that nothing is left of it


def test_a_download_that_always_breaks_off_leaves_nothing_under_its_name(build, archive):
    def half(exchange):
        exchange.answer(200, archive[:1000], {"Content-Length": str(len(archive))})
        exchange.hang_up()

    with LoopbackServer({"/1.tar.gz": half}) as server:
        assert build("--url", server.url("/1.tar.gz")) == 1

    assert not build.output.exists()
    assert all(".part" in name for name in listed(build.cache))
    assert "/1.tar.gz" in build.said()


def test_a_server_that_answers_with_an_error_is_quoted(build):
    with LoopbackServer() as server:
        assert build("--url", server.url("/1.tar.gz")) == 1

    assert "404" in build.said()
    assert not build.output.exists()


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_the_right_digest_is_accepted(build, archive, tmp_path, case):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(archive)

    assert build("--url", path, "--sha256", case(hashlib.sha256(archive).hexdigest())) == 0


def test_another_digest_is_refused(build, archive, tmp_path):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(archive)

    assert build("--url", path, "--sha256", "0" * 64) == 1
    assert "MODEL_SHA256" in build.said()
    assert not build.output.exists()


def test_a_folder_has_a_digest_too(build, published):
    assert build("--url", published, "--sha256", "0" * 64) == 1
    assert "MODEL_SHA256" in build.said()


def test_a_download_of_another_digest_is_not_kept(build, archive):
    contents = iter([packed({"saved_model.pb": b"something else"}), archive])
    digest = hashlib.sha256(archive).hexdigest()
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(200, next(contents))}) as server:
        exits = [build("--url", server.url("/1.tar.gz"), "--sha256", digest) for _ in range(2)]

    assert exits == [1, 0]


@pytest.mark.parametrize("name", ["../escaped.txt", "/tmp/../escaped.txt", "a/../../escaped.txt"])
def test_a_member_that_leaves_the_folder_is_refused(build, tmp_path, name):
    path = tmp_path / "evil.tar.gz"
    path.write_bytes(packed({name: b"gotcha", "saved_model.pb": b""}))

    assert build("--url", path) == 1
    assert not list(tmp_path.rglob("escaped.txt"))
    assert listed(build.cache) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_member_that_is_neither_file_nor_folder_is_refused(build, archive, tmp_path, kind):
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as tar, tarfile.open(fileobj=io.BytesIO(archive)) as model:
        for member in model:
            tar.addfile(member, model.extractfile(member))
        odd = tarfile.TarInfo("assets.extra/odd")
        odd.type, odd.linkname = kind, "./saved_model.pb"
        tar.addfile(odd)

    assert build("--url", path) == 1
    assert "assets.extra/odd is neither a file nor a folder" in build.said()
    assert listed(build.cache) == []


def test_an_archive_that_is_damaged_in_the_middle_is_refused(build, archive, tmp_path):
    path = tmp_path / "1.tar.gz"
    half = len(archive) // 2
    path.write_bytes(archive[:half] + bytes(500) + archive[half + 500 :])

    assert build("--url", path) == 1
    assert "no readable .tar.gz" in build.said()
    assert listed(build.cache) == []


@pytest.mark.parametrize("content", [b"", b"<!doctype html>", b"\x1f\x8b\x08\0junk"], ids=["empty", "page", "cut gzip"])
def test_what_is_no_archive_is_refused(build, tmp_path, content):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(content)

    assert build("--url", path) == 1
    assert "no readable .tar.gz" in build.said()


@pytest.mark.parametrize("files", [{"readme.txt": b"hello"}, {"a/saved_model.pb": b"", "b/saved_model.pb": b""}])
def test_an_archive_of_no_model_or_of_several_is_refused(build, tmp_path, files):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(packed(files))

    assert build("--url", path) == 1
    assert "saved_model.pb, not one" in build.said()


def test_a_path_that_does_not_exist_is_refused_by_name(build, tmp_path):
    assert build("--url", tmp_path / "nowhere") == 1
    assert "nowhere: there is no such file or folder" in build.said()


def save_signature(folder, inputs, outputs, name="default"):
    """A SavedModel that is nothing but its signature."""
    saved_model = saved_model_pb2.SavedModel()
    signature = saved_model.meta_graphs.add().signature_def[name]
    for tensors, of in ((inputs, signature.inputs), (dict.fromkeys(outputs, (100,)), signature.outputs)):
        for key, shape in tensors.items():
            of[key].name, of[key].dtype = f"{key}:0", tf.float32.as_datatype_enum
            for size in shape:
                of[key].tensor_shape.dim.add(size=-1 if size is None else size)
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    return folder


@pytest.mark.parametrize("missing", OUTPUTS)
def test_a_graph_that_lacks_an_output_is_refused_with_what_it_gives_and_what_is_expected(build, tmp_path, missing):
    outputs = [name for name in OUTPUTS if name != missing]

    assert build("--url", save_signature(tmp_path / "graph", PICTURE, outputs)) == 1
    assert f"gives {' and '.join(f'{name} float32 (100)' for name in outputs)} for images" in build.said()
    assert "Expected are the outputs of a detector" in build.said()
    assert not build.output.exists()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({**PICTURE, "threshold": ()}, "images float32 (1, ?, ?, 3) and threshold float32 ()"),
        ({"images": (1, None, None, 1)}, "images float32 (1, ?, ?, 1)"),
        ({"images": (None, 17, 3)}, "images float32 (?, 17, 3)"),
        ({}, "takes nothing"),
    ],
    ids=["two inputs", "grey", "poses", "none"],
)
def test_a_graph_that_takes_no_picture_is_refused_with_what_it_takes(build, tmp_path, inputs, said):
    assert build("--url", save_signature(tmp_path / "graph", inputs, OUTPUTS)) == 1
    assert said in build.said()
    assert "expected is one picture, (1, height, width, 3)" in build.said()


def test_a_graph_with_another_signature_is_refused(build, tmp_path):
    graph = save_signature(tmp_path / "graph", PICTURE, OUTPUTS, name="embed")

    assert build("--url", graph) == 1
    assert "its signatures are: embed; expected is one named 'default' or 'serving_default'" in build.said()


def test_a_model_that_is_refused_leaves_the_old_one(build, published, tmp_path):
    assert build("--url", published) == 0
    before = build.facts()

    assert build("--url", save_signature(tmp_path / "graph", PICTURE, [])) == 1
    assert build.facts() == before
    assert listed(build.output.parent) == ["cache", "graph", "model"] or listed(build.output.parent) == [
        "graph",
        "model",
    ]


def test_a_new_model_replaces_the_old_one(build, published, archive, tmp_path):
    path = tmp_path / "1.tar.gz"
    path.write_bytes(archive)

    assert [build("--url", source) for source in (published, path)] == [0, 0]
    assert build.facts()["source"] == str(path)
    assert not [name for name in listed(build.output.parent) if name.startswith(".")]


# --keep and --prepared


def test_a_model_that_fits_is_kept_without_a_look_at_its_source(build, published, tmp_path):
    source = shutil.copytree(published, tmp_path / "source")
    assert build("--url", source) == 0
    shutil.rmtree(source)

    assert build("--url", source, "--keep") == 0


def test_a_model_of_another_source_is_not_kept(build, published, tmp_path):
    source = shutil.copytree(published, tmp_path / "source")
    build("--url", published)

    assert build("--url", source, "--keep") == 0
    assert build.facts()["source"] == str(source)


def test_a_model_of_another_digest_is_not_kept(build, published):
    build("--url", published)

    assert build("--url", published, "--sha256", "0" * 64, "--keep") == 1


@pytest.mark.parametrize("content", [None, "", "{}"])
def test_where_there_is_no_model_keep_builds_one(build, published, content):
    if content is not None:
        build.output.mkdir()
        (build.output / "model.json").write_text(content, encoding="utf-8")

    assert build("--url", published, "--keep") == 0
    assert build.facts()["source"] == str(published)


def test_a_prepared_model_is_taken(build, tiny_model):
    assert build("--prepared", tiny_model) == 0
    assert Model.load(build.output).identity == Model.load(tiny_model).identity


def test_an_address_goes_before_a_prepared_model(build, tiny_model, published, tmp_path):
    source = shutil.copytree(published, tmp_path / "source")

    assert build("--prepared", tiny_model, "--url", source) == 0
    assert build.facts()["source"] == str(source)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unreachable")
def test_a_prepared_fallback_is_refused(build, tiny_model, tmp_path):
    prepared = shutil.copytree(tiny_model, tmp_path / "prepared")
    facts = json.loads((prepared / "model.json").read_text(encoding="utf-8"))
    (prepared / "model.json").write_text(json.dumps(facts | {"fallback": True}), encoding="utf-8")

    assert build("--prepared", prepared) == 1
    assert "fallback" in build.said()
    assert not build.output.exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unreachable")
def test_without_a_prepared_model_the_published_one_is_fetched(build, tmp_path):
    assert build("--prepared", tmp_path / "nowhere") == 1
    assert PUBLISHED_ARCHIVE in build.said()


# Where nothing can be reached


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unreachable")
def test_a_failed_fetch_names_each_address_and_the_way_out(build):
    assert build() == 1

    said = build.said()
    assert f"{PUBLISHED_ARCHIVE}: it cannot be reached" in said
    assert f"{KAGGLE_ARCHIVE}: it cannot be reached" in said
    assert f"{PUBLISHED_HANDLE}: " in said
    assert "MODEL_URL=" in said
    assert not build.output.exists()


@pytest.mark.usefixtures("unreachable")
def test_an_address_of_ones_own_is_never_replaced_by_the_fallback(build, tmp_path):
    assert build("--url", tmp_path / "nowhere", "--allow-fallback") == 1
    assert not build.output.exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unreachable")
def test_a_fallback_that_cannot_be_fetched_says_what_is_missing(build, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert build("--allow-fallback") == 1
    assert "npm" in build.said()
    assert not build.output.exists()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("unreachable")
@pytest.mark.skipif(not FALLBACK.is_file(), reason="the fallback's package has not been fetched")
def test_where_it_is_allowed_the_fallback_steps_in_and_says_so(build):
    (build.cache / "fallback").mkdir(parents=True)
    shutil.copy(FALLBACK, build.cache / "fallback")

    assert build("--allow-fallback") == 0
    assert build.facts()["fallback"] is True
    assert build.facts()["default_min_score"] == 0.3
    assert build.said().count("WARNING: this is the fallback") == 1
    assert PUBLISHED_ARCHIVE in build.said()


def test_an_unknown_engine_in_the_environment_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("ENGINE", "foo")
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path / "model")])

    assert "ENGINE is 'foo'" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()
