"""``python -m degnext`` is ``degnext``."""

import sys

from .cli import main

sys.exit(main())
