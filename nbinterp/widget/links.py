"""Views that look at the same place.

In: views.  Out: nothing; from then on they follow each other in the browser, with a kernel or without one.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from ..errors import problem
from .axis import AxisView
from .browser import MotifBrowser
from .cooccurrence import CooccurrenceView
from .mechanism import MechanismView
from .pattern import PatternView
from .table import TableView

__all__ = ["link"]

_LINKED: Final = (AxisView, CooccurrenceView, MechanismView, MotifBrowser, PatternView)
_NEED: Final = (
    "LogoViews, TrackViews, MarginalViews, SpacingViews, InteractionViews, VariantViews, MotifBrowsers, PatternViews, "
    "CooccurrenceViews or MechanismViews"
)


def link(*views: Any) -> str:
    """Let views follow each other: example, region, cross-hair, selection and the chosen motif.

    The browser does it, so that they stay linked in a report and with the kernel gone.  Views with loci meet on the
    genome, whatever their windows are; others by example and position.  A TrackView with a model also follows the edits of
    the same sequences in a LogoView.  A motif that is chosen in one view is chosen in all that know it by name: the spans of
    a LogoView or TrackView, the row of a MotifBrowser, the pattern of a PatternView, the pairs of a CooccurrenceView.

    Parameters
    ----------
    *views : LogoView, TrackView, MotifBrowser, ...
        Two or more, of any kind that has a place or a motif to share: also MarginalView, SpacingView, InteractionView,
        VariantView, PatternView, CooccurrenceView, MechanismView.  One that is linked already brings its link
        with it.  A TableView follows the view that it is given as ``logo=``.

    Returns
    -------
    str
        The name of the link, to be given to later views as ``link=``.

    Raises
    ------
    NbinterpError
        For fewer than two views, or what cannot be linked.

    Examples
    --------
    >>> import numpy as np
    >>> from nbinterp import LogoView
    >>> a, b = LogoView(np.eye(4)), LogoView(np.eye(4))
    >>> link(a, b) == a.link == b.link
    True
    """
    if len(views) < 2:
        raise problem(
            "link", "views", got=f"{len(views)} of them", need="two or more", do="pass the views to be linked"
        )
    for view in views:
        if not isinstance(view, _LINKED):
            do = "pass its logo= instead" if isinstance(view, TableView) else "leave it out"
            raise problem("link", "views", got=f"a {type(view).__name__}", need=_NEED, do=do)
    name = next((view.link for view in views if view.link), "") or uuid.uuid4().hex
    for view in views:
        view.link = name
    return name
