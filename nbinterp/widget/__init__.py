"""Views that a person touches: traits and wiring only.

In: sequences, scores and tables.  Out: anywidgets for JupyterLab, Notebook, Colab and offline reports; what a person
chooses comes back as traits.  ``static/`` holds the built JavaScript, whose sources are in ``js/``.
"""

from .browser import MotifBrowser
from .cooccurrence import CooccurrenceView
from .hit import HitView
from .interaction import InteractionView
from .links import link
from .logo import LogoView
from .marginal import MarginalView, marginal_grid
from .mechanism import MechanismView
from .pattern import PatternView
from .spacing import SpacingView
from .table import TableView
from .track import TrackView
from .variant import VariantView

__all__ = [
    "CooccurrenceView",
    "HitView",
    "InteractionView",
    "LogoView",
    "MarginalView",
    "MechanismView",
    "MotifBrowser",
    "PatternView",
    "SpacingView",
    "TableView",
    "TrackView",
    "VariantView",
    "link",
    "marginal_grid",
]
