"""VariantView in a real JupyterLab: a variant that is chosen is answered for by the model, and Python sees what is chosen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browser.jupyter import Jupyter

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

DEMO = """import json, time, pandas as pd, nbinterp as nb
from nbinterp import demo
from nbinterp.perturb.variants import read_variants, variant_effects
from nbinterp.widget import VariantView
X, truth = demo.sequences(1, random_state=0)
letters, other = nb.characters(X[0]), {"A": "C", "C": "G", "G": "T", "T": "A"}
rows = [(s, letters[s], other[letters[s]]) for s in range(150, 180)]
table = pd.DataFrame(rows, columns=["start", "ref", "alt"]).assign(chrom="seq")
loci = pd.DataFrame({"chrom": ["seq"], "start": [0], "end": [400]})
variants = read_variants(table, {"seq": X[0].numpy()}, in_window=400, loci=loci)
effects = variant_effects(nb.target(demo.load_model(), task=0), variants, device="cpu")
view = VariantView(effects, model=demo.load_model(), n_shuffles=4, store=1, device="cpu")
view"""
TELL = "print(json.dumps([view.selected, view.score, view.threshold, len(view.chosen), view.view]))"
SAID = "a = json.loads(view.answer); print(json.dumps([a['stage'], a['last'], a['example'], len(view.kept_data) > 0]))"
BREAK = "view._engine.targets.clear(); view._engine._composed.clear()"
ANSWERED = "() => { const d = document.querySelector('.nbi-pair').dataset; return d.asking === '0' && d.rows === '3'; }"


def test_a_chosen_variant_is_answered_for(lab: Jupyter, browser: Any) -> None:
    lab.write("variant.ipynb", DEMO, TELL, SAID, BREAK)
    with lab.open(browser, "variant.ipynb") as notebook:
        notebook.run(0)
        page = notebook.page
        page.locator('.nbi-variant[data-live="1"]').wait_for()
        view = page.locator(".nbi-variant")
        assert "live" in view.locator(".nbi-status").inner_text()
        page.wait_for_function(ANSWERED)  # stored, so that nothing is asked

        body = view.locator(".nbi-body")
        body.focus()
        for _ in range(6):
            page.keyboard.press("ArrowDown")  # the newest request wins
        page.wait_for_function(ANSWERED)
        page.wait_for_timeout(300)
        selected, score, threshold, n, window = json.loads(notebook.run(1))
        assert view.get_attribute("data-selected") == str(selected)
        assert (score, threshold, n) == ("difference", 0, 30)
        assert window[0] < 150 + selected < window[1]
        assert json.loads(notebook.run(2)) == ["scores", True, 1 + selected, True]  # one window, then alternatives

        slider = view.get_by_role("slider")
        slider.focus()
        for _ in range(5):
            page.keyboard.press("PageUp")
        page.wait_for_timeout(300)
        _, _, threshold, n, _ = json.loads(notebook.run(1))
        assert threshold > 0
        assert n == int(view.get_attribute("data-beyond")) < 30

        notebook.run(3)  # what goes wrong is said in its own words, and can be dismissed
        slider.press("Home")
        body.focus()
        page.keyboard.press("ArrowDown")
        trouble = view.locator(".nbi-trouble")
        trouble.filter(has_text="need one of").wait_for()
        assert view.locator(".nbi-pair").get_attribute("data-rows") == "2"
        trouble.click()
        trouble.wait_for(state="hidden")
