"""A worker beside the notebook, that does the newest request and drops those it overtook.

In: requests, from any thread.  Out: answers, handed on from the worker's own thread.  So a click is answered while a cell
runs, and thirty clicks in a second cost one answer or two.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

__all__ = ["Newest"]

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Newest(Generic[Request, Reply]):
    """Answers the newest request only.

    Parameters
    ----------
    answer : callable
        Takes a request and a function that says whether it is stale by now; gives replies, one after the other.
    tell : callable
        Takes a reply.

    Examples
    --------
    >>> told = []
    >>> worker = Newest(lambda n, stale: [n, n + 1], told.append)
    >>> worker.submit(1)
    >>> worker.wait(5), told
    (True, [1, 2])
    """

    def __init__(
        self, answer: Callable[[Request, Callable[[], bool]], Iterable[Reply]], tell: Callable[[Reply], None]
    ) -> None:
        self._answer, self._tell = answer, tell
        self._change = threading.Condition()
        self._waiting: list[Request] = []
        self._busy = False

    def submit(self, request: Request) -> None:
        """Take a request in the place of any that waits, and come back at once."""
        with self._change:
            self._waiting = [request]
            if not self._busy:
                self._busy = True
                # a thread for as long as there is work: a notebook that is left alone keeps none.  It answers in the
                # context of who asks, or the kernel would take the view's next message for one of the cell that runs
                here = contextvars.copy_context()
                threading.Thread(target=here.run, args=(self._work,), name="nbinterp-live", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing is left to do; say whether that came in time."""
        with self._change:
            return self._change.wait_for(lambda: not self._busy, seconds)

    def _stale(self) -> bool:
        with self._change:
            return bool(self._waiting)

    def _work(self) -> None:
        while True:
            with self._change:
                if not self._waiting:
                    self._busy = False
                    self._change.notify_all()
                    return
                request = self._waiting.pop()
            try:
                for reply in self._answer(request, self._stale):
                    if self._stale():
                        break
                    self._tell(reply)
            except BaseException:
                with self._change:
                    self._busy = False
                    self._change.notify_all()
                raise
