"""TFLite metadata: what a ``.tflite`` file says of its input and of its labels.

Owns the few fields that are read, by their places in the schema: a buffer named ``TFLITE_METADATA``, itself a
flatbuffer, and files that are appended as a zip archive. Without a package for it: the one that had generated code,
tflite-support, is archived and installs on no Python of ours.

Source: ``tensorflow_lite_support/metadata/metadata_schema.fbs`` of https://github.com/tensorflow/tflite-support.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types
from flatbuffers.table import Table

from model_build.normalisation import Normalisation

if TYPE_CHECKING:
    from pathlib import Path

_BUFFER = "TFLITE_METADATA"
_MAX_LABEL_FILE_BYTES = 4 * 1024**2

# Fields by their place in their table.
_MODEL_NAME, _MODEL_SUBGRAPHS = 0, 3
_SUBGRAPH_INPUTS, _SUBGRAPH_OUTPUTS = 2, 3
_TENSOR_PROCESS_UNITS, _TENSOR_FILES = 4, 6
_UNIT_OPTIONS_TYPE, _UNIT_OPTIONS = 0, 1
_NORMALIZATION_MEAN, _NORMALIZATION_STD = 0, 1
_FILE_NAME, _FILE_TYPE = 0, 2
_NORMALIZATION_OPTIONS = 1  # of the union ProcessUnitOptions
_LABEL_FILES = {2, 3}  # AssociatedFileType: TENSOR_AXIS_LABELS, TENSOR_VALUE_LABELS

# What flatbuffers and zipfile say of damage: they check next to nothing and look wherever an offset leads.
UNREADABLE = (
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says.

    Attributes:
        name: of the model; empty where it has none.
        normalisation: of its first input.
        labels: lines of the label file of an output.
    """

    name: str = ""
    normalisation: Normalisation | None = None
    labels: list[str] | None = None


def read(path: Path) -> Metadata:
    """A file's metadata; empty where it has none.

    Raises:
        ValueError: they cannot be read.
    """
    try:
        buffer = _metadata_buffer(path.read_bytes())
        if buffer is None:
            return Metadata(labels=_only_label_file(path))
        model = _Fields(Table(buffer, flatbuffers.encode.Get(number_types.UOffsetTFlags.packer_type, buffer, 0)))
        subgraphs = model.tables(_MODEL_SUBGRAPHS)
        inputs = subgraphs[0].tables(_SUBGRAPH_INPUTS) if subgraphs else []
        outputs = subgraphs[0].tables(_SUBGRAPH_OUTPUTS) if subgraphs else []
        normalisations = [_normalisation(tensor) for tensor in inputs]
        files = [file for tensor in outputs for file in tensor.tables(_TENSOR_FILES)]
        names = [file.text(_FILE_NAME) for file in files if file.byte(_FILE_TYPE) in _LABEL_FILES]
        labels = _appended(path, names[0]) if names else _only_label_file(path)
        return Metadata(model.text(_MODEL_NAME), next(iter(normalisations), None), labels)
    except UNREADABLE as error:
        raise ValueError(f"its metadata cannot be read: {error!r}") from error


class _Fields:
    """A table of a flatbuffer, its fields by place."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def _offset(self, place: int) -> int:
        return int(self._table.Offset(4 + 2 * place))

    def text(self, place: int) -> str:
        offset = self._offset(place)
        return str(self._table.String(offset + self._table.Pos).decode()) if offset else ""

    def byte(self, place: int) -> int:
        offset = self._offset(place)
        return int(self._table.Get(number_types.Uint8Flags, offset + self._table.Pos)) if offset else 0

    def table(self, place: int) -> _Fields:
        at = self._table.Indirect(self._offset(place) + self._table.Pos)
        return _Fields(Table(self._table.Bytes, at))

    def tables(self, place: int) -> list[_Fields]:
        offset = self._offset(place)
        if not offset:
            return []
        first = self._table.Vector(offset)
        places = range(first, first + 4 * self._table.VectorLen(offset), 4)
        return [_Fields(Table(self._table.Bytes, self._table.Indirect(at))) for at in places]

    def floats(self, place: int) -> tuple[float, ...]:
        offset = self._offset(place)
        if not offset:
            return ()
        values = self._table.GetVectorAsNumpy(number_types.Float32Flags, offset)
        return tuple(map(float, values))


def _metadata_buffer(content: bytes) -> bytes | None:
    model = schema.Model.GetRootAs(content, 0)
    for place in range(model.MetadataLength()):
        entry = model.Metadata(place)
        if (entry.Name() or b"").decode() == _BUFFER:
            return bytes(model.Buffers(entry.Buffer()).DataAsNumpy())
    return None


def _normalisation(tensor: _Fields) -> Normalisation | None:
    for unit in tensor.tables(_TENSOR_PROCESS_UNITS):
        if unit.byte(_UNIT_OPTIONS_TYPE) == _NORMALIZATION_OPTIONS:
            options = unit.table(_UNIT_OPTIONS)
            return Normalisation.of(options.floats(_NORMALIZATION_MEAN), options.floats(_NORMALIZATION_STD))
    return None


def _only_label_file(path: Path) -> list[str] | None:
    """The lines of the text file that is packed into a model without saying what it is, if there is just one."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.casefold().endswith(".txt")]
    return _appended(path, names[0]) if len(names) == 1 else None


def _appended(path: Path, name: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(name).file_size > _MAX_LABEL_FILE_BYTES:
            raise ValueError(f"{name} in it is no label file: it has more than {_MAX_LABEL_FILE_BYTES} bytes")
        return archive.read(name).decode("utf-8-sig").splitlines()
