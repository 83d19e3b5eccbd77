"""Write all that a file came from into the file itself, and touch none of its data."""

from provdb.embed.content import Content, content_of
from provdb.embed.embed import EmbeddedFile, EmbedPlan, embed, plan

__all__ = ["Content", "EmbedPlan", "EmbeddedFile", "content_of", "embed", "plan"]
