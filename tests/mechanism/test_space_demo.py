"""One call on the demo model, with nothing but defaults, finds what was planted."""

from __future__ import annotations

import pytest

from nbinterp import demo
from nbinterp.mechanism import MechanismSpace, mechanism_space, name_sites
from tests.mechanism.test_demo_sites import MARGIN, TASK, check_pair, check_sites


@pytest.mark.slow
@pytest.mark.parametrize("example", [197, 346])
def test_the_planted_sites_and_the_pair(example: int) -> None:
    X, truth = demo.sequences(400, random_state=7)
    truth = truth[truth["example_idx"] == example].assign(example_idx=0).reset_index(drop=True)
    window = (max(int(truth["start"].min()) - MARGIN, 0), int(truth["end"].max()) + MARGIN)
    space = mechanism_space(demo.load_model(), X[example], n=4000, window=window, target=TASK, n_refits=2, device="cpu")
    assert isinstance(space, MechanismSpace)
    sites = space.sites()
    check_sites(sites, truth)
    sums = space.sums_for_sites()
    named = name_sites(sites, sums, space.configurations(sites, sums=sums), demo.motifs(n_shuffled=4))
    assert named["motif"].tolist() == truth["name"].tolist()
    check_pair(space.effects(sites), dict(zip(named["name"], named["motif"], strict=True)))
