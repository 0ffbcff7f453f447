"""Which picture a request is about: an address, or a picture that was sent along.

Owns the ways to give one (``url``, a data: URL, ``image`` in base64, a file of a form, the body itself) and the limit
of what may be sent. Whether an address may be fetched is not judged here.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.errors import InvalidParameter, TooLarge, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping


class Given(NamedTuple):
    """A picture as it was given.

    Attributes:
        parameter: what it was given in, ``url`` or ``image``; the body itself counts as the latter.
        url: its address; empty where the file was sent.
        content: the file that was sent, else None.
    """

    parameter: str
    url: str
    content: bytes | None


def of(given: Mapping[str, Any], content: bytes | None, max_bytes: int) -> Given:
    """The address of the picture, or the picture itself.

    Args:
        given: parameters by canonical name.
        content: the body, where that is the picture.
        max_bytes: largest picture that may be sent.

    Raises:
        InvalidParameter: there is no picture or more than one, or it is no base64.
        TooLarge: the picture that was sent has too many bytes.
    """
    url, image = given.get("url", ""), given.get("image", "")
    if not isinstance(url, str):
        raise InvalidParameter(f"url must be text, not {quoted(url)}.", parameter="url")
    if not isinstance(image, str | bytes):
        raise InvalidParameter(f"image must be a picture file in base64, not {quoted(image)}.", parameter="image")
    url = url.strip()
    if sum((bool(url), bool(image), content is not None)) > 1:
        raise InvalidParameter("Give one picture: its url, or the image itself.", parameter="url")
    parameter = "url" if url else "image"
    if url[:5].lower() == "data:":
        content = _decoded(url, parameter)
    elif isinstance(image, bytes):
        content = image
    elif image:
        content = _decoded(image, parameter)
    if content is None and not url:
        raise InvalidParameter(
            "Give the address of a picture, as in /detector?url=https://….jpg, or send one: see /reference.",
            parameter="url",
        )
    if content is None:
        return Given(parameter, url, None)
    if len(content) > max_bytes:
        raise TooLarge(f"The picture has more than {max_bytes:,} bytes.", parameter=parameter)
    return Given(parameter, "", content)


def _decoded(text: str, parameter: str) -> bytes:
    """A picture from base64, with or without the ``data:image/…;base64,`` that browsers put before it."""
    head, comma, tail = text.partition(",")
    is_data_url = head[:5].lower() == "data:"
    if is_data_url and not (comma and head.lower().endswith(";base64")):
        raise InvalidParameter(
            "A data: URL must hold a picture in base64: data:image/png;base64,….", parameter=parameter
        )
    encoded = (tail if is_data_url else text).replace(" ", "+")  # a + that was not percent-encoded
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter(f"{parameter} must be a picture file in base64.", parameter=parameter) from error
