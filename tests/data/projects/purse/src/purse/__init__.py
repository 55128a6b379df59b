"""Amounts of money as whole cents."""

from purse.amounts import parse, show
from purse.shares import split

__all__ = ["parse", "show", "split"]
