"""Where does this file come from, and what came from it."""

from provdb.lineage.collapse import GRANULARITIES, collapse
from provdb.lineage.file_answer import impact, lineage
from provdb.lineage.link_rules import LINK_RULES, LinkRule, link_rules
from provdb.lineage.name import Name, find_name
from provdb.lineage.path import Paths, path
from provdb.lineage.reach import ReachedIds, makers, reach
from provdb.lineage.result import Completeness, Lineage, LineageEdge, LineageNode
from provdb.lineage.run import run_lineage
from provdb.lineage.tagged import tag_lineage
from provdb.lineage.traverse import WalkOptions
from provdb.lineage.tree import TreeRow, tree
from provdb.lineage.versions import FileVersion, FileVersions, versions
from provdb.lineage.views import VIEWS, View, get_view, view, views

__all__ = [
    "GRANULARITIES",
    "LINK_RULES",
    "VIEWS",
    "Completeness",
    "FileVersion",
    "FileVersions",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "LinkRule",
    "Name",
    "Paths",
    "ReachedIds",
    "TreeRow",
    "View",
    "WalkOptions",
    "collapse",
    "find_name",
    "get_view",
    "impact",
    "lineage",
    "link_rules",
    "makers",
    "path",
    "reach",
    "run_lineage",
    "tag_lineage",
    "tree",
    "versions",
    "view",
    "views",
]
