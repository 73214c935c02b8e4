"""Views that a person touches: traits and wiring only.

In: sequences, scores and tables.  Out: anywidgets for JupyterLab, Notebook, Colab and offline reports; what a person
chooses comes back as traits.  ``static/`` holds the built JavaScript, whose sources are in ``js/``.
"""

from .links import link
from .logo import LogoView
from .table import TableView
from .track import TrackView

__all__ = ["LogoView", "TableView", "TrackView", "link"]
