"""Re-prediction of an edited sequence, recomputing only what the edit reaches.

In: a model and a sequence.  Out: a `ChangeRangePlan` that answers edits in a fraction of a forward pass, exactly; or
the reason why the model cannot be taken apart.  `capture` records the model, `window` is the algebra of intervals, the
`rules_*` say how each operation carries a change through a `block` of edits, `plan` puts them together, `cached` checks
and keeps plans, `live` answers edits.
"""

from __future__ import annotations

from .cached import plan_of
from .live import ChangeRangePlan, Edit, Piece, change_range_plan, change_range_reason, sweep

__all__ = ["ChangeRangePlan", "Edit", "Piece", "change_range_plan", "change_range_reason", "plan_of", "sweep"]
