"""Still pictures of results.

In: arrays and tables.  Out: matplotlib axes and PNG bytes, in the look of the widgets: the same letters, the same colours.
"""

from .logo import logo_png, plot_logo
from .theme import BASES

__all__ = ["BASES", "logo_png", "plot_logo"]
