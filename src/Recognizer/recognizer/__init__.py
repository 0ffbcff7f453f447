"""Recognizer: finds the objects in a picture and draws them.

A story, six wings and a ground floor; imports go down only, and the wings do not know each other (import-linter):

    build                                     settings -> the application; the only room that knows every wing
    app | worker                              route -> endpoint -> answer; message of a queue -> result in a bucket
    verdict                                   what becomes of a picture that nobody waits for
    pipeline | telemetry | isolation          the story of one picture; its record and metrics; its process
    reception | compat                        the endpoints of uploads; other services' addresses
    imaging                                   the work on one picture's pixels
    http | fetch | vision | drawing | site    the wings
    uploads
    settings | startup | snapshot | job | sandbox     the ground floor: values and rules that all may know
    pictures | labels
    detections | suggestions | coco
    errors
"""

VERSION = "0.1.0"
