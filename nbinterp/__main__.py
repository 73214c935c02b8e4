"""``python -m nbinterp`` is the command ``nbinterp``."""

import sys

from .cli.main import main

sys.exit(main())
