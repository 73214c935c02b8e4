"""Views that look at the same place.

In: views.  Out: nothing; from then on they follow each other in the browser, with a kernel or without one.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..errors import problem

__all__ = ["link"]


def link(*views: Any) -> str:
    """Let views follow each other: example, region, cross-hair, selection and the chosen motif.

    The browser does it, so that they stay linked in a report and with the kernel gone.  Views with loci meet on the
    genome, whatever their windows are; others by example and position.  A TrackView with a model also follows the edits of
    the same sequences in a LogoView; a motif that is chosen in one view stands out in all.

    Parameters
    ----------
    *views : LogoView, TrackView or any view with a link
        Two or more.  One that is linked already brings its link with it.

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
        if not isinstance(getattr(view, "link", None), str):
            raise problem(
                "link", "views", got=f"a {type(view).__name__}", need="LogoViews and TrackViews", do="leave it out"
            )
    name = next((view.link for view in views if view.link), "") or uuid.uuid4().hex
    for view in views:
        view.link = name
    return name
