"""`monolift run`: every process of the project on one machine, kept alive and ended together.

The supervisor loads neither Django nor the project, so that it stays small and outlives their
faults.
"""
