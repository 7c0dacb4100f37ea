"""monolift."""
