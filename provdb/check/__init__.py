"""What is wrong with captured provenance: in itself, and against a definition."""

from provdb.check.report import KINDS, CheckReport, Finding
from provdb.check.run import check

__all__ = ["KINDS", "CheckReport", "Finding", "check"]
