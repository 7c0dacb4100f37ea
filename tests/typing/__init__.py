"""What the type checkers accept and refuse: run by test_typing.py, never imported."""
