"""The registry: modules, the seam between them, transactions, topology."""
