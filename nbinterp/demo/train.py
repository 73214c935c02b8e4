"""How the demo model was made: ``python -m nbinterp.demo.train``.

In: the grammar and seeds.  Out: ``weights.npz`` (float16) and ``truth.json`` in the folder given.  Takes about five
minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from ..core.files import writing
from . import grammar
from .network import DemoNetwork

N_TRAIN, N_TEST, NOISE, BATCH = 24_000, 2_000, 0.1, 64


def train(epochs: int, seed: int = 0) -> tuple[DemoNetwork, list[float]]:
    """Fit the network to noisy activities; give it with its held-out correlation to the noiseless ones."""
    torch.manual_seed(seed)
    X, truth = grammar.sequences(N_TRAIN, random_state=seed + 1)
    rng = np.random.RandomState(seed)
    y = torch.from_numpy(grammar.activity(truth, N_TRAIN) + rng.normal(scale=NOISE, size=(N_TRAIN, 2))).float()
    model = DemoNetwork()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = epochs * (N_TRAIN // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for epoch in range(epochs):
        order = torch.randperm(N_TRAIN)
        total = 0.0
        for rows in order[: N_TRAIN // BATCH * BATCH].view(-1, BATCH):
            x = X[rows].float()
            if torch.rand(()) < 0.5:  # both strands read alike, and the model is shown so
                x = x.flip(1, 2)
            loss = torch.nn.functional.mse_loss(model(x), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / (N_TRAIN // BATCH):.4f}", flush=True)
    return model.eval(), held_out(model, seed)


def held_out(model: DemoNetwork, seed: int) -> list[float]:
    """Pearson correlation with the noiseless activity of new sequences, for each task."""
    X, truth = grammar.sequences(N_TEST, random_state=seed + 2)
    y = grammar.activity(truth, N_TEST)
    with torch.no_grad():
        predicted = torch.cat([model(batch.float()) for batch in X.split(256)]).numpy()
    return [float(np.corrcoef(predicted[:, t], y[:, t])[0, 1]) for t in range(2)]


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the demo model.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--epochs", type=int, default=16)
    options = parser.parse_args()
    model, _ = train(options.epochs)
    half = {name: value.numpy().astype(np.float16) for name, value in model.state_dict().items()}
    model.load_state_dict({name: torch.from_numpy(value.astype(np.float32)) for name, value in half.items()})
    pearson = held_out(model, 0)
    with writing(options.out / "weights.npz") as temporary, temporary.open("wb") as stored:
        np.savez_compressed(stored, **half)
    known = {
        "tasks": list(grammar.TASKS),
        "length": grammar.LENGTH,
        "consensus": dict(grammar.CONSENSUS),
        "effects": {name: list(effect) for name, effect in grammar.EFFECTS.items()},
        "pair": {"motifs": list(grammar.PAIR), "gaps": list(grammar.PAIR_GAPS), "effect": list(grammar.PAIR_EFFECT)},
        "training": {"sequences": N_TRAIN, "noise": NOISE, "epochs": options.epochs},
        "held_out_pearson": dict(zip(grammar.TASKS, (round(p, 4) for p in pearson), strict=True)),
    }
    with writing(options.out / "truth.json") as temporary:
        temporary.write_text(json.dumps(known, indent=2) + "\n")
    print(f"held-out Pearson {pearson[0]:.3f} and {pearson[1]:.3f}; wrote {options.out}")


if __name__ == "__main__":
    main()
