"""Let `python -m console` be `cvl`."""

import sys

from console.main import main

sys.exit(main())
