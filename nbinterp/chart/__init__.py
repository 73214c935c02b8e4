"""Still pictures of results.

In: arrays and tables.  Out: matplotlib axes and PNG bytes, in the look of the widgets: the same letters, the same colours.
"""

from .logo import plot_logo
from .still import logo_png
from .theme import BASES

__all__ = ["BASES", "logo_png", "plot_logo"]
