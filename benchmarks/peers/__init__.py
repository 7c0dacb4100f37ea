"""What others deliver: each a script for an environment of its own, run by the figure.

Arguments: PostgreSQL's URL, how many events. Prints the seconds from the first to the last.
"""
