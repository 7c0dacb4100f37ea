"""The back office: Django's admin over all modules, in the order of a shop's work."""
