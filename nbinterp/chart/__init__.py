"""Still pictures of results.

In: arrays and tables.  Out: matplotlib axes and PNG bytes, in the look of the widgets: the same letters, the same colours.
"""

from .logo import plot_logo
from .profile import ProfileRow, profile_png
from .still import logo_png
from .theme import BASES

__all__ = ["BASES", "ProfileRow", "logo_png", "plot_logo", "profile_png"]
