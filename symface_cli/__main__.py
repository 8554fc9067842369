"""`python -m symface_cli` is `symface`."""

import sys

from symface_cli.cli.app import main

sys.exit(main())
