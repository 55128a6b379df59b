"""Short names for addresses."""

from slugs.text import slugify
from slugs.unique import Registry

__all__ = ["Registry", "slugify"]
