"""The commands that made a file, as a shell script that says what it lacks."""

from provdb.reproduce.recipe import recipe
from provdb.reproduce.script import Command, Digest, Recipe

__all__ = ["Command", "Digest", "Recipe", "recipe"]
