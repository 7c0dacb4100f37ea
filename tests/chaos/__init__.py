"""Processes that are killed, stopped and started again, and what must hold afterwards.

The short form runs with every test run; `make chaos` runs the long one (MONOLIFT_CHAOS_EVENTS).
"""
