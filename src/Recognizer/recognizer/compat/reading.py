"""What requests of every dialect have in common: fields by name, numbers in a range, a picture in a field of theirs.

Owns that a field which means nothing here is refused, and that errors name what the client wrote.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from recognizer.errors import InvalidParameter, quoted
from recognizer.http import parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

MAX_INT = 2**31 - 1  # what others' schemas call an integer


def require_known(given: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    """Lets fields pass that mean something.

    Args:
        given: what was sent, by name.
        known: the names there are.
        where: what holds them, where that is not the request itself.

    Raises:
        InvalidParameter: one means nothing; the message names it and those that there are.
    """
    if unknown := sorted(given.keys() - set(known)):
        place = f" in {where}" if where else ""
        raise InvalidParameter(
            f"There is no {quoted(unknown[0])}{place} here; there are {', '.join(known)}.", parameter=unknown[0]
        )


def number(value: Any, name: str, most: float, default: float | None = None) -> float:
    """A number from 0 on, of JSON or of a form.

    Args:
        value: what was sent.
        name: of its field.
        most: the largest there may be.
        default: what stands for none and for an empty field; None where there must be one.

    Raises:
        InvalidParameter: it is no such number.
    """
    if default is not None and (value is None or value == ""):
        return default
    read = parameters.number(value)
    if read is None or not 0 <= read <= most:
        raise InvalidParameter(f"{name} must be a number from 0 to {most:g}, not {quoted(value)}.", parameter=name)
    return read


def whole(value: Any, name: str, most: int, default: int) -> int:
    """A whole number, as ``number``; JSON's 3.0 is one too."""
    read = number(value, name, most, default)
    if read % 1:
        raise InvalidParameter(f"{name} must be a whole number, not {quoted(value)}.", parameter=name)
    return int(read)


def mapping(value: Any, name: str) -> dict[str, Any]:
    """A JSON object; an empty one where nothing was sent.

    Raises:
        InvalidParameter: it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameter(f"{name} must be an object, not {quoted(value)}.", parameter=name)
    return value


def members(value: Any, name: str, known: Collection[str]) -> dict[str, Any]:
    """The fields of a JSON object that mean something; null is none, for the object as for each of them.

    Raises:
        InvalidParameter: it is something else, or has a field that means nothing.
    """
    given = {field: member for field, member in mapping(value, name).items() if member is not None}
    require_known(given, known, name)
    return given


def elements(value: Any, name: str, most: int) -> list[Any]:
    """A JSON list of at most so many; an empty one where nothing was sent.

    Raises:
        InvalidParameter: it is something else, or longer.
    """
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise InvalidParameter(f"{name} must be a list of at most {most}.", parameter=name)
    return value


@contextmanager
def picture_in(name: str, value: object) -> Iterator[None]:
    """Has errors of ``image`` speak of the field that a picture came in.

    Args:
        name: of the field.
        value: what was sent, in that field or as the body.

    Raises:
        InvalidParameter: nothing was sent, or what is raised within.
    """
    if value is None or value in ("", b""):
        raise InvalidParameter(f"There is no picture; {name} must hold one.", parameter=name)
    try:
        yield
    except InvalidParameter as error:
        if error.parameter != "image":
            raise
        raise InvalidParameter(error.public_message.replace("image", name, 1), parameter=name) from error
