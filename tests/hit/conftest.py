"""The golden runs of Fi-NeMo, where there are any."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden(data_dir: Path) -> Path:
    path = data_dir.parent / "golden" / "finemo"
    if not path.is_dir():
        pytest.skip(f"no golden runs: {path} is not a folder")
    return path


@pytest.fixture(scope="session")
def inputs(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its inputs, where an index may be written beside the genome."""
    folder = tmp_path_factory.mktemp("finemo") / "in"
    shutil.copytree(golden / "in", folder, copy_function=shutil.copyfile)
    return folder
