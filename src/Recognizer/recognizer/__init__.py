"""Recognizer: finds the objects in a picture and draws them.

One flat package; imports go down only (``app`` at the top, ``errors`` at the bottom; enforced by import-linter):

    app -> pipeline | settings -> events | responses | download | pictures | detector | annotate
        -> destinations | postprocess | labels -> detections -> errors
"""

VERSION = "0.1.0"
