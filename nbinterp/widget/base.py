"""What all widgets share: where their JavaScript is, an answer to "is anyone there?", and a still picture."""

from __future__ import annotations

import base64
import uuid
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

__all__ = ["View", "static"]


def static(name: str) -> str:
    """Read a built file as text (a path would make anywidget watch it)."""
    return (files(__package__) / "static" / name).read_text(encoding="utf-8")


class View(anywidget.AnyWidget):
    """A widget with a kernel behind it, or none."""

    uid = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(uid=uuid.uuid4().hex, **traits)
        self.on_msg(self._answer)

    def _answer(self, _widget: Any, message: Any, _buffers: Any) -> None:
        """Say hello back, so that the view knows that it is live; hand on anything else."""
        if not isinstance(message, dict):
            return
        if message.get("kind") == "hello":
            self.send({"kind": "hello"})
        else:
            self._receive(message)

    def _receive(self, message: dict[str, Any]) -> None:
        """Take a message of the browser half; most views have none."""

    def to_png(self) -> bytes | None:
        """A still picture, for where no JavaScript runs; None when there is none."""
        return None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        picture = self.to_png()
        if bundle is None or picture is None:
            return bundle
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**data, "image/png": base64.b64encode(picture).decode()}, metadata
