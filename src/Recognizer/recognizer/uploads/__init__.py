"""Pictures that land in a bucket: what tells of them, where they lie, and where their results go.

``events`` reads the messages of a queue, ``storage`` talks to S3, ``results`` owns where the result of an object is
kept, and that there is exactly one for each version of it. What is done with a picture is not known here: ``worker``
and ``reception``, one story up, tell that.
"""
