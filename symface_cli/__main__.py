"""`python -m symface_cli` is `symface`."""

import sys

from symface_cli.cli import main

sys.exit(main())
