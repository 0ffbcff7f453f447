"""What the description says where not everyone may ask: the schemes, and what they change of an operation.

Owns, for each way in which access is checked (the setting ACCESS), its scheme, what is said of it, and how a command
line satisfies it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from recognizer.errors import Unauthorized
from recognizer.job import COSTLY
from recognizer.site import problems

if TYPE_CHECKING:
    from recognizer.site.schemas import Json


class Scheme(NamedTuple):
    """A way in which access is checked.

    Attributes:
        described: its security scheme in OpenAPI.
        about: what is said of it to people, behind the paths that ask for it.
        in_shell: what a ``curl`` command line needs.
    """

    described: Json
    about: str
    in_shell: str


_BEARER = {"type": "http", "scheme": "bearer"}
SCHEMES = {
    "KEY": Scheme(
        {**_BEARER, "description": "A key that whoever runs the service hands out."},
        "ask for a key: send it as `Authorization: Bearer …`. Without one the answer is 401.",
        '-H "Authorization: Bearer $KEY"',
    ),
    "JWT": Scheme(
        {**_BEARER, "bearerFormat": "JWT", "description": "A token of the issuer that this service trusts."},
        "ask for a token of the issuer that this service trusts: send it as `Authorization: Bearer …`. API Gateway "
        "checks it, and answers 401 or 403.",
        '-H "Authorization: Bearer $TOKEN"',
    ),
    "AWS_IAM": Scheme(
        {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Signature version 4 for `execute-api`.",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "ask for requests signed with AWS credentials that may call this API (`execute-api:Invoke`). API Gateway "
        "checks them, and answers 403.",
        '--aws-sigv4 "aws:amz:$AWS_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\\n'
        '  -H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"',
    ),
}


def secured(document: Json, access: str) -> Json:
    """The description of a service for which not everyone may ask; as it is where everyone may.

    Args:
        document: what ``openapi.document`` made.
        access: how it is checked who may ask for what is costly.
    """
    if access not in SCHEMES:
        return document
    scheme, info = SCHEMES[access], document["info"]
    *others, last = (f"`{path}`" for path in document["paths"] if path in COSTLY)
    about = f"{', '.join(others)} and {last} {scheme.about}"
    return {
        **document,
        "info": {**info, "description": f"{info['description']}\n{about}\n"},
        "paths": {
            path: {method: _guarded(operation, access) for method, operation in operations.items()}
            if path in COSTLY
            else operations
            for path, operations in document["paths"].items()
        },
        "components": {**document["components"], "securitySchemes": {access: scheme.described}},
    }


def _guarded(operation: Json, access: str) -> Json:
    refused = problems.by_status([Unauthorized]) if access == "KEY" else {}
    samples = [
        {**sample, "source": sample["source"].replace("curl ", f"curl {SCHEMES[access].in_shell} ", 1)}
        for sample in operation["x-codeSamples"]
    ]
    return {
        **operation,
        "security": [{access: []}],
        "responses": dict(sorted({**operation["responses"], **refused}.items())),
        "x-codeSamples": samples,
    }
