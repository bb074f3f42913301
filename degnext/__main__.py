"""``python -m degnext`` is ``degnext``."""

import sys

from degnext.cli import main

sys.exit(main())
