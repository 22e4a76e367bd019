"""The return file goes back in as it is, once corrected."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from importers import guard, returns, sheets
from importers.chunks import ParsedChunk
from importers.columns import RETURN_COLUMNS, STAGED
from importers.formats import cq_compute_1
from importers.messages import make
from importers.sheets import UNIT
from tests_golden import samples  # type: ignore[import-not-found]
