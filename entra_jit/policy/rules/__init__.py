"""The rules by which a request is decided, one a file.

Each has a function ``refuse``: the line that refuses the request, or None. A rule refuses and never allows, so one more
rule never allows more.
"""
