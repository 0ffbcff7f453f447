"""What the service serves of itself: the page with its samples, and the API's description for programs and people.

``page`` makes the page, its scripts joined by ``modules``; ``openapi`` makes the description out of ``detection``,
``documents``, ``options``, ``schemas``, ``headers`` and ``problems``; ``security`` adds who may ask; ``reference``
makes a page of that. All of it is made once, at cold start, as ``assets``; ``answer_pages`` makes pages of answers, as
they are asked for.
"""
