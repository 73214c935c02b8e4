"""SpacingView in a real JupyterLab: the model draws the letters of the pair that is shown, and what goes wrong is said."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.browser.jupyter import Jupyter, Notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

DEMO = """import nbinterp as nb
from nbinterp import demo
from nbinterp.widget import SpacingView
motifs, model = demo.motifs(), demo.load_model()
a, b = {"GATA": motifs["GATA"]}, {"TEAD": motifs["TEAD"]}
X = nb.random_one_hot((8, 4, 400), random_state=0)
found = nb.spacing_effects(model, X, a, b, range(0, 13, 2), device="cpu")
view = SpacingView(found, X, a, b, output=1, model=model, device="cpu")
view"""
TELL = """import json
print(json.dumps([view.arrangement, view.order, view.distance, view.example, view.value, view.selection, int(view.selected["distance"])]))"""
MOODY = """import torch, nbinterp as nb
from nbinterp.widget import SpacingView
class Moody(torch.nn.Module):
    cross = False
    def forward(self, X):
        if self.cross:
            raise RuntimeError("the kettle is empty")
        return X[:, 0].sum(dim=-1, keepdim=True)
model = Moody()
X = nb.one_hot_encode("ACGT" * 15)[None].repeat(4, 1, 1)
found = nb.spacing_effects(model, X, "TT", "CC", range(5), device="cpu", fast=False)
model.cross = True
view = SpacingView(found, X, "TT", "CC", model=model, device="cpu")
view"""


def ready(notebook: Notebook) -> Any:
    notebook.run(0)
    view = notebook.page.locator('.nbi-spacing[data-live="1"]')
    view.wait_for()
    view.scroll_into_view_if_needed()
    return view


def test_the_model_draws_the_letters_of_the_newest_pair(lab: Jupyter, browser: Any) -> None:
    lab.write("pair.ipynb", DEMO, TELL)
    with lab.open(browser, "pair.ipynb") as notebook:
        view, page = ready(notebook), notebook.page
        lettered = "() => document.querySelector('.nbi-spacing').dataset.letters === 'attributions'"
        page.wait_for_function(lettered, timeout=20_000)
        assert "DeepLIFT/SHAP" in view.inner_text()
        canvas = view.locator("canvas")
        began = time.perf_counter()
        for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "]", "v"):
            canvas.press(key)
        page.wait_for_function(lettered, timeout=20_000)
        page.wait_for_function("() => document.querySelector('.nbi-spacing').dataset.asking === '0'")
        print(f"eight keys and the letters of the last: {time.perf_counter() - began:.2f} s")
        known = notebook.told(1, lambda known: known[3] == 1 and known[4] == "effect")
        assert known[2:5] == [8, 1, "effect"]
        assert known[6] == 8
        assert view.get_attribute("data-place") == " ".join(map(str, known[:3]))
        assert view.locator(".nbi-trouble").is_hidden()


def test_what_goes_wrong_is_said_and_asked_again(lab: Jupyter, browser: Any) -> None:
    lab.write("moody.ipynb", MOODY, "model.cross = False; print(1)")
    with lab.open(browser, "moody.ipynb") as notebook:
        view = ready(notebook)
        view.locator(".nbi-trouble").filter(has_text="the kettle is empty").wait_for()
        assert view.get_attribute("data-letters") == "information"
        notebook.run(1)
        view.locator("canvas").press("Enter")
        notebook.page.wait_for_function(
            "() => document.querySelector('.nbi-spacing').dataset.letters === 'attributions'"
        )
        assert view.locator(".nbi-trouble").is_hidden()
