"""What differs between two files, two runs, two tags or two productions."""

from provdb.compare.diff import diff
from provdb.compare.result import Comparison, Difference

__all__ = ["Comparison", "Difference", "diff"]
