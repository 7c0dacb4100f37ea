"""The shop's bounded contexts, one Django app each."""
