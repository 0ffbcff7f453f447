"""HTTP: gateway events in, proxy responses out.

``gateway`` reads events of every version and writes responses; ``body``, ``parameters`` and ``negotiation`` make a
``DetectRequest`` of a request; ``responses`` makes answers and problem documents; ``caching`` owns entity tags,
conditional requests and the headers that every answer carries.
"""
