"""How fast, how large, how much memory: measured side by side, in fresh processes, and written down as it ran.

``python -m benchmarks`` (``make bench``) measures three subjects through the same door, ``lambda_handler``: the
baseline, a plain handler as the published examples are written, and the service with each of its engines; with
``--against REV`` also the service as it was at another revision. ``python -m benchmarks.container`` (``make
bench-container``) measures the two images as Lambda runs them.

``python -m benchmarks.accuracy`` (``make accuracy``) measures how right the model is, on pictures with ground truth.

    __main__ | container -> rounds | anatomy | report -> process | pictures | results | machine | plot -> subjects
    accuracy | accuracy_worker -> ground_truth | results | plot | report

``worker`` and ``baseline`` run in the measured processes and import nothing from here.
"""
