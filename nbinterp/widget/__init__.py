"""Views that a person touches: traits and wiring only.

In: sequences, scores and tables.  Out: anywidgets for JupyterLab, Notebook, Colab and offline reports; what a person
chooses comes back as traits.  ``static/`` holds the built JavaScript, whose sources are in ``js/``.
"""

from .interaction import InteractionView
from .links import link
from .logo import LogoView
from .marginal import MarginalView, marginal_grid
from .spacing import SpacingView
from .table import TableView
from .track import TrackView
from .variant import VariantView

__all__ = [
    "InteractionView",
    "LogoView",
    "MarginalView",
    "SpacingView",
    "TableView",
    "TrackView",
    "VariantView",
    "link",
    "marginal_grid",
]
