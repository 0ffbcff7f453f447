"""Many pictures at once, from a terminal: ``python -m local.batch FOLDER``; see docs/uploads.md.

``sources`` finds and reads pictures, ``engines`` recognises them on this machine's cores, ``cloud`` through the bucket
of a deployment; ``record`` writes what came of each, so that a run can be stopped and continued, and makes COCO of it.
"""
