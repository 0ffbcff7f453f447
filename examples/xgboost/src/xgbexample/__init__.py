"""Predicts numbers from rows of numbers, behind an HTTP API.

Imports go down only (import-linter holds it):

    handler           an event in, an answer out
    model | rows      what predicts; what may be predicted from
    problems          every failure that a client is told of
"""
