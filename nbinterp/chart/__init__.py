"""Still pictures of results.

In: arrays and tables.  Out: matplotlib axes, Altair charts and PNG bytes, in the look of the widgets: the same letters, the
same colours.
"""

from .annotation import plot_pairs, plot_partners
from .effects import plot_interactions, plot_motif_effects, plot_position_effects, plot_spacing, plot_variants
from .logo import plot_logo
from .profile import ProfileRow, profile_png
from .pwm import plot_pwm, publication_logo
from .still import logo_png
from .theme import BASES

__all__ = [
    "BASES",
    "ProfileRow",
    "logo_png",
    "plot_interactions",
    "plot_logo",
    "plot_motif_effects",
    "plot_pairs",
    "plot_partners",
    "plot_position_effects",
    "plot_pwm",
    "plot_spacing",
    "plot_variants",
    "profile_png",
    "publication_logo",
]
