"""Products of a run, as lstosa has them, from what is stored of its subruns."""

from provdb.products.run import Product, parse_run, write_products

__all__ = ["Product", "parse_run", "write_products"]
