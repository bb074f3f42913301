"""``python -m degnext`` is ``degnext``."""

import sys

from degnext.cli.main import main

sys.exit(main())
