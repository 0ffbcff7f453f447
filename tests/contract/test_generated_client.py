"""A client that openapi-python-client makes of the running service's own description is one that works.

It is made with the generator's defaults, but for the formatting of what it writes. The tests use it as its users
would, and look at pixels: a client that sends a default too many hides three people of many. (``url`` is a word of the
generator's own; it calls the parameter ``url_query``.)
"""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import types

import numpy as np
import pytest
from PIL import Image
from recognizer.build import build

from tests.conftest import THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.serving import served

pytestmark = on_loopback

NAME = "recognizer_client"
GENERATE = "from openapi_python_client.cli import app; app()"
SIDE_PX = 128


def picture():
    """Noise, in which the tiny model finds a dozen objects."""
    noise = np.random.default_rng(7).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def file_of(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PICTURE = file_of(picture())


@pytest.fixture(scope="module")
def url():
    """Where the picture is."""
    with LoopbackServer({"/noise.png": lambda exchange: exchange.answer(200, PICTURE)}) as running:
        yield running.url("/noise.png")


@pytest.fixture(scope="module")
def address(tiny_model):
    """Where the service is."""
    environ = {"MODEL_DIR": str(tiny_model), "THREADS": str(THREADS)}
    with served(build(environ | {"ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"})) as address:
        yield address


@pytest.fixture(scope="module")
def generated(address, tmp_path_factory):
    """The generated package, and what the generator said."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.yml").write_text("post_hooks: []\n", encoding="utf-8")
    options = ("--url", f"{address}openapi.json", "--meta", "none", "--config", folder / "config.yml")
    command = (sys.executable, "-c", GENERATE, "generate", *options, "--output-path", folder / NAME)
    made = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True, timeout=120)
    sys.path.insert(0, str(folder))
    yield types.SimpleNamespace(
        folder=folder / NAME,
        said=made.stdout + made.stderr,
        models=importlib.import_module(f"{NAME}.models"),
        types=importlib.import_module(f"{NAME}.types"),
        detect=importlib.import_module(f"{NAME}.api.detection.detect"),
        detect_by_url=importlib.import_module(f"{NAME}.api.detection.detect_by_url"),
        Client=importlib.import_module(f"{NAME}.client").Client,
    )
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def client(generated, address):
    with generated.Client(base_url=address.rstrip("/"), raise_on_unexpected_status=True) as client:
        yield client


def image_in(answer):
    """The picture that an answer is."""
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content)).convert("RGB")


def changed(image, box):
    """The share of a box's pixels that differ from the picture asked about."""
    edges = (box.xmin, box.ymin, box.xmax, box.ymax)
    before, after = (np.asarray(one.crop(edges)) for one in (picture(), image))
    return (before != after).any(axis=-1).mean()


@pytest.fixture(scope="module")
def found(generated, client, url):
    """All that there is in the picture."""
    answer = generated.detect.sync(client=client, body=generated.models.DetectRequest(url=url, n=100))
    assert len(answer.detections) > 3
    return answer.detections


def test_no_operation_is_left_out(generated):
    made = {file.stem for file in generated.folder.glob("api/*/*.py")} - {"__init__"}

    detection, classification = {"detect", "detect_by_url"}, {"classify", "classify_by_url"}
    assert made == detection | classification | {"labels", "health", "description", "page", "reference", "sample"}
    # Two of the pictures' types mean nothing to the generator; both have another way.
    assert {line for line in generated.said.splitlines() if line.startswith("WARNING")} == {
        "WARNING parsing POST /detector within detection.",
        "WARNING parsing POST /classifier within classification.",
        "WARNING parsing GET /samples/{name} within site.",
    }


def test_a_choice_is_one_class_whichever_operation_takes_it(generated):
    enumerations = {file.stem for file in generated.folder.glob("models/*.py")}

    assert {"draw", "image_format", "answer_kind"} <= enumerations
    assert not {name for name in enumerations if name.endswith(("_draw", "_image_format"))}


def test_detect_answers_with_the_picture(generated, client, url, found):
    answer = generated.detect_by_url.sync_detailed(client=client, url_query=url)

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-detection-count"] == "3"
    assert changed(image_in(answer), found[0].box) > 0


def test_detect_answers_with_json(generated, client, url, found):
    kind = generated.models.AnswerKind.JSON

    answer = generated.detect_by_url.sync_detailed(client=client, url_query=url, n=5, format_=kind)

    parsed = generated.models.Detections.from_dict(json.loads(answer.content))
    assert parsed.image.width == SIDE_PX
    assert parsed.detections == found[:5]


def test_the_address_in_a_body_is_answered_with_objects(generated, client, url, found):
    wanted = generated.models.DetectRequest(url=url, include=[found[0].label], region=[0, 0, 1, 1])

    answer = generated.detect.sync(client=client, body=wanted)

    assert answer.image.url == url
    assert 0 < len(answer.detections) <= 3
    assert {one.label for one in answer.detections} == {found[0].label}


def test_blur_hides_everything_that_is_found(generated, client, url, found):
    draw = generated.models.Draw.BLUR

    answer = generated.detect_by_url.sync_detailed(client=client, url_query=url, draw=draw)

    assert int(answer.headers["x-detection-count"]) == len(found) > 3
    assert all(changed(image_in(answer), one.box) > 0.9 for one in found)


@pytest.mark.parametrize("draw", ["labels", "boxes", "blur", "none", None])
def test_crop_cuts_the_best_object_out(generated, client, url, found, draw):
    given = {"draw": generated.models.Draw(draw)} if draw else {}

    answer = generated.detect_by_url.sync_detailed(client=client, url_query=url, crop=True, **given)

    box = found[0].box
    cut_out = image_in(answer)
    assert cut_out.size == (box.xmax - box.xmin, box.ymax - box.ymin)
    if draw != "blur":
        assert cut_out.tobytes() == picture().crop((box.xmin, box.ymin, box.xmax, box.ymax)).tobytes()


def test_a_picture_is_uploaded_as_it_is(generated, client, found):
    body = generated.types.File(payload=io.BytesIO(PICTURE))

    answer = generated.detect.sync(client=client, body=body, n=100)

    assert answer.image.url is None
    assert answer.detections == found


def test_the_picture_of_an_upload_is_had_with_the_clients_own_connection(client, found):
    """A generated client reads POST's answer as JSON; docs/api.md says what to do instead."""
    answer = client.get_httpx_client().post(
        "/detector",
        params={"draw": "blur", "format": "image"},
        content=PICTURE,
        headers={"Content-Type": "image/png"},
    )

    assert all(changed(image_in(answer), one.box) > 0.9 for one in found)


def test_a_picture_is_uploaded_in_a_form(generated, client, found):
    file = generated.types.File(payload=io.BytesIO(PICTURE), file_name="noise.png", mime_type="image/png")
    body = generated.models.DetectForm(image=file, n=5, include=f"{found[0].label},{found[1].label}", crop=False)

    answer = generated.detect.sync(client=client, body=body)

    assert {one.label for one in answer.detections} <= {found[0].label, found[1].label}
    assert answer.detections[0] == found[0]


def test_an_address_is_sent_in_a_form(generated, client, url, found):
    answer = generated.detect.sync(client=client, body=generated.models.DetectFields(url=url, n=1))

    assert answer.detections == found[:1]


def test_an_error_is_a_problem(generated, client, url):
    answer = generated.detect_by_url.sync(client=client, url_query=url, include=["unicorn"])

    assert isinstance(answer, generated.models.Problem)
    assert (answer.status, answer.parameter) == (400, "include")
