"""`python -m monolift.management <verb>`."""

import sys

from monolift.management.console import main

if __name__ == "__main__":
    sys.exit(main())
