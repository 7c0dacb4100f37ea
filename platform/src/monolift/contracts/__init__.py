"""Contracts: snapshots of what modules promise, and what a change of them breaks.

A snapshot pins what is on the wire or in a table: names, types, defaults, kinds, keys. Prose is not
in it, so a better docstring changes no contract.
"""
