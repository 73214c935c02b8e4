"""A real model, a real enhancer, end to end, in the time that a person waits for."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nbinterp.mechanism import MechanismSpace

SECONDS = 300.0  # on two cores


@pytest.fixture(scope="module")
def enhancer(data_dir: Path) -> str:
    """The 249 bases that the folder's notes name."""
    found = re.findall(r"[ACGT]{249}", (data_dir / "README.md").read_text())
    if not found:
        pytest.skip("the notes name no enhancer")
    return str(found[0])


@pytest.mark.real
@pytest.mark.slow
def test_from_an_enhancer_to_its_mechanisms_in_five_minutes(data_dir: Path, enhancer: str, tmp_path: Path) -> None:
    """20,000 sequences at 10 % mutation, saliency, Ward, sites, report.

    Processor time of one thread is held to the limit, the report's own process counted, so that two cores that have nothing
    else to do need less by the clock; that of a busy machine says nothing.
    """
    words = ["mechanisms", enhancer, "-n", "20000", "--rate", "0.1", "--task", "0", "-d", "cpu", "-o", str(tmp_path)]
    model = ["-m", str(data_dir / "deepstarr.model.json"), "--weights", str(data_dir / "deepstarr.model.h5")]
    command = [sys.executable, "-c", "import sys; from nbinterp.cli.main import main; sys.exit(main())", *words, *model]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    space = MechanismSpace.load(tmp_path / "space")
    print(f"{spent:.0f} s of processor time, {wall:.0f} s by the clock, {after.ru_maxrss / 1e6:.2f} GB")
    print(done.stdout, space.facts["seconds"])
    assert spent < SECONDS
    assert after.ru_maxrss < 2.5e6  # kB

    assert space.y[0] == pytest.approx(2.4786, abs=1e-3)
    assert (len(space), space.clusters.k, space.maps.shape) == (20_000, 30, (20_000, 4, 249))
    agreement = space.clusters.stability.agreement
    assert len(agreement) == 5
    assert 0.2 < agreement.mean() < 1
    sites = pd.read_csv(tmp_path / "sites.tsv", sep="\t")
    assert len(sites) >= 2
    effects = pd.read_csv(tmp_path / "effects.tsv", sep="\t").query("order == 1")
    assert np.isfinite(effects[["effect", "low", "high"]].to_numpy()).all()
    page = (tmp_path / "report.html").read_text()
    first = page[page.index("How far the clusters can be trusted") :]
    assert str(space.clusters.stability) in first[: first.index("<h2", 1)]
