"""What goes with what, from what was bought together.

Owns how often two SKUs were in one order. Refuses to know products and prices: it answers with
SKUs, which may have been withdrawn since. Invariant: every order counts once, however often it is
told, and counting all orders anew gives the same numbers.
"""
