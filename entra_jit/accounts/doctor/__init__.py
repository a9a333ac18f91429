"""The doctor: examines whether a tenant is set up so that grants open and close there, before the first one finds out.

A module a subject. In each, what reads the tenant is apart from what judges it: judging is pure, and takes the facts.
"""
