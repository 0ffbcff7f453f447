"""How fast, how large, how much memory: measured side by side, in fresh processes, and written down as it ran.

``python -m benchmarks`` (``make bench``) measures three subjects through the same door, ``lambda_handler``: a plain
reference handler as the published examples are written, and the service with each of its engines. ``python -m
benchmarks.container`` (``make bench-container``) measures the two images as Lambda runs them.

    __main__ | container -> rounds | report -> results | plot -> process | pictures | anatomy | machine -> subjects

``worker``, ``reference`` and, as a script, ``anatomy`` run in the measured processes and import nothing from here.
"""
