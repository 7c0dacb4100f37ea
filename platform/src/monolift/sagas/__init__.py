"""Running sagas: one row each, one transaction where it can be, compensation where it must be."""
