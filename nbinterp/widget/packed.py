"""A module that unpacks itself.

In: JavaScript.  Out: JavaScript of less than half the size that does the same.  Every view carries its module in a notebook's
state, so that what is large is carried so.
"""

from __future__ import annotations

import base64
import string
import zlib
from typing import Final

__all__ = ["packed"]

_LETTERS: Final = (
    f"{string.digits}{string.ascii_uppercase}{string.ascii_lowercase}!#$%&()*+-;<=>?@^_`{{|}}~"  # of base64.b85encode
)


def packed(code: str) -> str:
    """Pack the module of a widget, whose default export has `render`.

    Examples
    --------
    >>> code = "export default {render: () => 1};" * 50
    >>> len(packed(code)) < len(code)
    True
    """
    data = base64.b85encode(zlib.compress(code.encode(), 9)).decode()
    return (
        f'const data="{data}",letters="{_LETTERS}",bytes=new Uint8Array(data.length*4/5|0);'
        "for(let i=0,at=0;i<data.length;i+=5){let v=0;for(let j=0;j<5;j++)v=v*85+(i+j<data.length?letters.indexOf(data[i+j]):84);"
        "for(let s=24;s>=0&&at<bytes.length;s-=8)bytes[at++]=v/2**s}"
        'const text=await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text(),'
        'url=URL.createObjectURL(new Blob([text],{type:"text/javascript"}));'
        "export default (await import(url)).default;URL.revokeObjectURL(url);"
    )
