"""The kernel half of interaction, with no Jupyter and no browser in it.

In: arrays, models, and what a person asks.  Out: binary blocks with tables that describe them, and answers.  `wire` packs,
`edits` keeps what was changed, `protocol` is the words of both halves (``js/src/protocol.ts`` is the other),
`repredict` recomputes what an edit reaches, `engine` answers logos and `track` profiles, `newest` runs them beside the
notebook.  Fixtures in ``tests/fixtures/protocol`` hold both sides to the same bytes.  What needs torch is loaded when it is
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .edits import Change, Edited, History, apply_changes
from .newest import Newest
from .protocol import Answer, Ask, decode_ask, encode_answer
from .wire import Packed, pack_blocks, pack_sequence, quantize, unpack_blocks

if TYPE_CHECKING:
    from .engine import Engine
    from .profiles import profile_of
    from .repredict import Repredictor
    from .targets import targets_of
    from .track import TrackEngine

__all__ = [
    "Answer",
    "Ask",
    "Change",
    "Edited",
    "Engine",
    "History",
    "Newest",
    "Packed",
    "Repredictor",
    "TrackEngine",
    "apply_changes",
    "decode_ask",
    "encode_answer",
    "pack_blocks",
    "pack_sequence",
    "profile_of",
    "quantize",
    "targets_of",
    "unpack_blocks",
]

_LATER = {
    "Engine": "engine",
    "Repredictor": "repredict",
    "TrackEngine": "track",
    "profile_of": "profiles",
    "targets_of": "targets",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
