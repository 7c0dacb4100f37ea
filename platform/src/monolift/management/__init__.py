"""The command line: `monolift <verb>`, and `manage.py monolift <verb>`, which is the same."""
