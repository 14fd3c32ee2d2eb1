"""`python -m bardgpt.cli`, the same as `bardgpt`; what `torchrun -m` can start."""

import sys

from bardgpt.cli import main

if __name__ == "__main__":
    sys.exit(main())
