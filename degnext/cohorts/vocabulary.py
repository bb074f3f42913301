"""The words and patterns by which tables, columns, groups and names of genes are known."""

from __future__ import annotations

import json

from degnext._common.paths import data_dir

WORDS = json.loads((data_dir() / "vocabulary.json").read_text(encoding="utf-8"))
