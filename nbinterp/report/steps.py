"""Steps of a report that are kept.

In: a function, its inputs, and a name.  Out: its result, computed once: kept under ``OUT/.nbinterp`` by a key made of the
step's inputs and this version of nbinterp, and read back when the same step is asked for again.  Long steps are kept in
chunks, so that a run that was killed loses at most one.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ..core.cache import content_hash
from ..core.files import writing
from .page import Facts
from .parameters import TemplateParameters, check_parameters, describe

__all__ = ["Run"]

Value = TypeVar("Value")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


@dataclass
class Run:
    """One run of a report in a folder.

    Parameters
    ----------
    out : path
        The report's folder.
    name : str
        Of the template.

    Examples
    --------
    >>> import tempfile
    >>> run = Run(tempfile.mkdtemp(), "attribution")
    >>> run.step("two", lambda: 1 + 1, 1), run.step("two", lambda: 0, 1)
    (2, 2)
    """

    out: Path
    name: str = "report"
    timings: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.out = Path(self.out)
        self.kept.mkdir(parents=True, exist_ok=True)

    @property
    def kept(self) -> Path:
        """Where finished steps are."""
        return self.out / ".nbinterp"

    def step(self, name: str, compute: Callable[[], Value], *inputs: Any) -> Value:
        """Give ``compute()``, or what it gave for the same inputs before."""
        key = content_hash(_version("nbinterp"), name, *inputs)[:20]
        path = self.kept / f"{name}-{key}.pkl"
        began = time.perf_counter()
        again = path.is_file()
        if again:
            with path.open("rb") as stored:
                value: Value = pickle.load(stored)
        else:
            value = compute()
            with writing(path) as temporary, temporary.open("wb") as stored:
                pickle.dump(value, stored, protocol=pickle.HIGHEST_PROTOCOL)
        seconds = time.perf_counter() - began
        self.timings[name] = round(self.timings.get(name, 0) + seconds, 3)
        self.say(name, seconds=round(seconds, 3), kept=again)
        return value

    def chunks(
        self, name: str, compute: Callable[[int, int], np.ndarray], n: int, size: int, *inputs: Any
    ) -> np.ndarray:
        """Give ``compute(0, n)``, computed and kept `size` rows at a time."""
        parts = [
            self.step(f"{name}-{a}", lambda a=a: compute(a, min(a + size, n)), a, min(a + size, n), *inputs)  # type: ignore[misc]
            for a in range(0, n, size)
        ]
        self.timings[name] = round(sum(self.timings.pop(f"{name}-{a}") for a in range(0, n, size)), 3)
        return np.concatenate(parts)

    def say(self, step: str, **facts: Any) -> None:
        """Append a line to ``progress.jsonl``."""
        with (self.out / "progress.jsonl").open("a") as log:
            log.write(json.dumps({"time": round(time.time(), 2), "step": step, **facts}) + "\n")

    def asked(self, variables: Mapping[str, Any]) -> TemplateParameters:
        """The parameters of this report as the notebook has them now, checked."""
        return check_parameters(self.name, {word: variables[word] for word, *_ in describe(self.name)})

    def write(self, name: str, save: Callable[[Path], Any]) -> Path:
        """Write a file of the report, whole or not at all; `save` takes the path to write to."""
        path = self.out / name
        with writing(path) as temporary:
            save(temporary)
        return path

    def table(self, name: str, frame: pd.DataFrame) -> Path:
        """Write ``tables/NAME.tsv``."""
        return self.write(f"tables/{name}.tsv", lambda path: frame.to_csv(path, sep="\t", index=False))

    def figure(self, name: str, png: bytes) -> Path:
        """Write ``figures/NAME.png``."""
        return self.write(f"figures/{name}.png", lambda path: path.write_bytes(png))

    def chart(self, name: str, chart: Any) -> Path:
        """Write an Altair chart as ``figures/NAME.vl.json``, which Vega's editor and Altair open."""
        return self.write(f"figures/{name}.vl.json", lambda path: path.write_text(chart.to_json(), encoding="utf-8"))

    def manifest(self, asked: TemplateParameters, **facts: Any) -> Facts:
        """Write ``manifest.json``: versions, parameters, facts, timings; and give what a page says of it."""
        packages: Iterable[str] = ("nbinterp", "torch", "numpy", "pandas", "anywidget", "papermill")
        versions = {"python": platform.python_version(), **{p: _version(p) for p in packages}}
        content = {
            "report": self.name,
            "parameters": dataclasses.asdict(asked),
            "versions": versions,
            "platform": platform.platform(terse=True),
            "threads": os.cpu_count(),
            **facts,
            "seconds": self.timings,
        }
        with writing(self.out / "manifest.json") as temporary:
            temporary.write_text(json.dumps(content, indent=2, default=str) + "\n")
        defaults = {word: default for word, _, default, _ in describe(self.name)}
        given = {word: value for word, value in dataclasses.asdict(asked).items() if value != defaults[word]}
        seconds = {f"{name} (s)": round(value, 2) for name, value in self.timings.items()}
        return Facts({**given, **facts, **versions, **seconds})


def interpreter() -> list[str]:
    """The command that starts a kernel in this very environment."""
    return [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=40"]
