"""Edits against strings, histories, and the fixtures that both halves read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nbinterp.errors import NbinterpError
from nbinterp.live import Answer, Change, History, apply_changes, decode_ask, encode_answer, unpack_blocks
from nbinterp.live.wire import Packed

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "protocol"
LETTERS = "ACGTN"


def random_changes(rng: np.random.RandomState, length: int, n: int) -> list[Change]:
    """Substitutions, several bases, insertions, deletions and pasted motifs."""
    changes = []
    for _ in range(n):
        start = int(rng.randint(length))
        end = min(length, start + int(rng.choice([0, 1, 1, 1, 4, 9])))
        bases = "".join(rng.choice(list("ACGTN"), rng.choice([0, 1, 1, end - start, 7]), p=[0.24] * 4 + [0.04]))
        changes.append(Change(start, end, bases))
    return changes


def by_strings(text: str, changes: list[Change]) -> str:
    length = len(text)
    for start, end, bases in changes:
        text = (text[:start] + bases + text[end:]).ljust(length, "N")
    return text[:length]


def test_edits_are_those_of_strings() -> None:
    rng = np.random.RandomState(0)
    for _ in range(200):
        codes = rng.randint(0, 4, 40).astype(np.uint8)
        text = "".join(LETTERS[c] for c in codes)
        changes = random_changes(rng, 40, 3)
        edited = apply_changes(codes, changes)
        assert "".join(LETTERS[c] for c in edited.codes) == by_strings(text, changes)
        kept = edited.origin >= 0
        assert (np.diff(edited.origin[kept]) > 0).all()  # what is left stays in order
        spans = [c for c in changes if c.end - c.start != len(c.bases)]
        if not spans:
            assert (edited.origin == np.arange(40)).all()


def test_what_cannot_be_edited_is_refused() -> None:
    codes = np.zeros(5, np.uint8)
    for change, words in (
        (Change(4, 6, "A"), r"\[4, 6\)"),
        (Change(3, 2, ""), r"\[3, 2\)"),
        (Change(0, 1, "U"), "'U'"),
    ):
        with pytest.raises(NbinterpError, match=words):
            apply_changes(codes, [change])


def test_histories_undo_and_redo_and_travel() -> None:
    a, b, c = Change(0, 1, "A"), Change(2, 2, "TT"), Change(1, 3, "")
    history = History().do(a).do(b)
    assert history.undo().undo().undo() == History((), (b, a))
    assert history.undo().redo() == history
    assert history.undo().do(c) == History((a, c))
    assert history.redo() == history
    assert History.from_json(json.loads(json.dumps(history.undo().to_json()))) == history.undo()
    with pytest.raises(NbinterpError, match="three values"):
        History.from_json({"done": [[1, 2]]})


def test_the_fixtures_of_both_halves() -> None:
    """js/test/protocol.test.ts reads the same file."""
    stored = json.loads((FIXTURES / "edits.json").read_text())
    for case in stored["edits"]:
        codes = np.array([LETTERS.index(c) for c in case["sequence"]], np.uint8)
        edited = apply_changes(codes, [Change(*one) for one in case["changes"]])
        assert "".join(LETTERS[c] for c in edited.codes) == case["edited"]
        assert edited.origin.tolist() == case["origin"]
    for message in stored["asks"]:
        ask = decode_ask(message)
        back = {
            "kind": "ask", "number": ask.number, "example": ask.example, "changes": [list(c) for c in ask.changes],
            "target": ask.target, "method": ask.method,
        }  # fmt: skip
        assert back == message
    answer = stored["answer"]
    scores = np.array(answer["values"], np.float32)
    words, data = encode_answer(
        Answer(7, 1, "scores", True, 1.5, 1.25, None, 20, 0.5, scores=scores, errors=np.abs(scores[0]))
    )
    assert words == answer["words"]
    assert data.hex() == answer["hex"]
    assert np.allclose(unpack_blocks(Packed(data, words["blocks"]))["scores"][0] * (3 / 32767), scores, atol=1e-4)


def test_a_request_with_a_hole_is_named() -> None:
    with pytest.raises(NbinterpError, match=r"decode_ask\(example\)"):
        decode_ask({"kind": "ask", "number": 1, "changes": [], "target": "", "method": ""})
