"""HTTP: gateway events in, proxy responses out.

``gateway`` knows the formats of events (``payload_v1``, ``payload_v2``, ``invocation``), which become ``messages`` and
back; ``detection`` makes a ``DetectRequest`` of a request (``body``, ``parameters``, ``source``, ``negotiation``);
``access`` owns who may ask; ``responses`` makes answers and problem documents (``multipart``, ``filenames``,
``encoding``); ``caching`` owns entity tags and conditional requests, ``headers`` what every answer carries.
"""
