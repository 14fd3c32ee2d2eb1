"""`python -m bardgpt`, the same as `bardgpt`."""

import sys

from bardgpt.cli import main

if __name__ == "__main__":
    sys.exit(main())
