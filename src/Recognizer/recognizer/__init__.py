"""Recognizer: finds the objects in a picture and draws them.

One flat package; imports go down only (``app`` at the top, ``errors`` at the bottom; enforced by import-linter):

    app
    pipeline | settings
    responses | reference
    events | download | pictures | detector | annotate | regions | site | openapi
    engine_tensorflow | engine_litert | marks | destinations | schemas
    parameters | model | placement | palette | lettering | postprocess | resize
    labels
    detections
    errors | startup
"""

VERSION = "0.1.0"
