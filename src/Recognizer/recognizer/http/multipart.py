"""Several parts in one answer, as a form (RFC 7578).

Owns how they are written: browsers read such an answer with ``Response.formData()``, without the third that base64 in
JSON would add.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def form(parts: Mapping[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    """A form's Content-Type and body.

    Args:
        parts: by the name of the field, media type and content.
    """
    # Of the content, so that the same answer has the same entity tag; nobody can write a text that has its own digest.
    digest = hashlib.sha256(b"".join(content for _, content in parts.values())).hexdigest()
    boundary = digest[:32].encode()
    lines: list[bytes] = []
    for name, (media_type, content) in parts.items():
        disposition = f'Content-Disposition: form-data; name="{name}"; filename="{name}"'
        lines += [b"--" + boundary, disposition.encode(), f"Content-Type: {media_type}".encode(), b"", content]
    lines += [b"--" + boundary + b"--", b""]
    return f"multipart/form-data; boundary={digest[:32]}", b"\r\n".join(lines)
