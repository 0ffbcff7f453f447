"""An address -> bytes, from public addresses only and within limits of bytes, time and redirects.

From the story down to what it is told in:

    download        the story of a fetch: redirects, limits, which answers count
    session         what is sent, and how: headers, pools, TLS
    connection      connects to addresses that were checked, and to no other
    response        reads answers more strictly than the libraries below
    deadline        ends a fetch in time, whatever it is doing
    failures        which of our errors stands for which exception below
    addresses       which addresses, hosts and ports may be called
    urls            a URL, read once into its parts
    hosts           one spelling for each host
"""

import sys
import warnings


def _import_requests() -> None:
    """Imports requests without what guesses the encoding of texts.

    That is charset_normalizer, 8 to 10 ms of a cold start, and pictures are no texts. Where it is missing, requests
    goes without and only warns (``requests.compat``, ``requests.packages``).
    """
    guesser = "charset_normalizer"
    if guesser in sys.modules:
        return
    warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
    # With None there, importing it raises ModuleNotFoundError: https://docs.python.org/3/reference/import.html
    sys.modules[guesser] = None  # type: ignore[assignment]
    try:
        import requests  # noqa: F401, PLC0415 - whoever imports it from here on finds it there
    finally:
        del sys.modules[guesser]


_import_requests()
