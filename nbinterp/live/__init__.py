"""The kernel half of interaction, with no Jupyter and no browser in it.

In: arrays.  Out: one binary block and the table that describes it, which the browser half reads.  The words of the
protocol are in ``js/src/protocol.ts``; fixtures in ``tests/fixtures/protocol`` hold both sides to the same bytes.
"""

from .wire import Packed, pack_blocks, pack_sequence, quantize, unpack_blocks

__all__ = ["Packed", "pack_blocks", "pack_sequence", "quantize", "unpack_blocks"]
