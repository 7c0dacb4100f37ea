"""Measurements of the library and the shop: ratios to a reference that the same run measures.

`python -m benchmarks` runs everything and writes README.md; `--short` counts statements and prints
ratios that decide nothing.
"""
