"""Finding products: full text, suggestions while typing, facets.

Owns an index of what catalog publishes, and the vocabulary that typing errors are held against.
Refuses to know prices and stock: it answers with slugs. Invariants: the index holds what catalog
says, never an older text than it held before; the same words find the same products, in the same
order, on every database.
"""
