"""The shop's pages: a backend for browsers that composes what the other modules answer.

Owns how the shop looks and reads, and the two cookies a visitor carries. Refuses to decide anything
about prices, stock, orders or money, and has no tables. Invariants: every page and the whole
purchase work without JavaScript; what a visitor gets wrong is answered by a sentence on a page,
with everything typed kept, except card details, which are never shown again.
"""
