"""The trainer learns planted directions, revives dead latents, and repeats itself to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from sae_core.errors import TrainingError
from sae_core.metrics import fidelity
from sae_core.training import trainer
from sae_core.training.config import TrainConfig
from sae_core.training.trainer import StepFigures, train_sae


def planted(n: int = 4_000, n_concepts: int = 40, d: int = 24) -> torch.Tensor:
    """Unit embeddings that are mixtures of two of `n_concepts` directions, and noise."""
    g = torch.Generator().manual_seed(0)
    directions = F.normalize(torch.randn(n_concepts, d, generator=g), dim=1)
    chosen = torch.stack([torch.randperm(n_concepts, generator=g)[:2] for _ in range(n)])
    weights = torch.rand(n, 2, 1, generator=g) + 0.5
    return F.normalize((directions[chosen] * weights).sum(1) + 0.02 * torch.randn(n, d, generator=g), dim=1)


CONFIG = TrainConfig(n_latents=80, k=3, steps=400, batch_size=256, k_start=16, k_warmup_steps=100, lr_warmup_steps=20)


def test_training_explains_what_random_weights_do_not() -> None:
    x = planted()
    seen: list[StepFigures] = []
    sae = train_sae(x, CONFIG, report=seen.append)
    codes = sae.encode(x)
    found = fidelity(x, sae.decode(codes), codes.activations)
    assert found.fvu < 0.2 and found.cosine > 0.9
    assert found.l0 <= 3
    assert [figures.step for figures in seen] == list(range(1, 401))
    assert seen[-1].fvu < 0.3 * seen[0].fvu
    assert not any(parameter.requires_grad for parameter in sae.parameters())


def test_the_auxiliary_loss_revives_dead_latents(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 concepts, 80 latents of which 50 start so weak that they never win a place in the Top-K."""
    start = trainer._start

    def buried(*arguments: Any) -> Any:
        state = start(*arguments)
        with torch.no_grad():
            state.sae.W_enc[:, :50] *= 0.1
            state.sae.b_enc[:50] *= 0.1
        return state

    monkeypatch.setattr(trainer, "_start", buried)

    def last(aux_weight: float) -> StepFigures:
        seen: list[StepFigures] = []
        config = TrainConfig(
            n_latents=80,
            k=2,
            steps=400,
            batch_size=64,
            k_start=2,
            dead_after_steps=20,
            learning_rate=3e-3,
            aux_weight=aux_weight,
        )
        train_sae(planted(2_000, 60, 32), config, report=seen.append)
        return seen[-1]

    without, revived = last(0.0), last(1 / 32)
    assert without.n_dead >= 45
    assert revived.n_dead < without.n_dead / 2
    assert revived.fvu < without.fvu / 2


def test_a_seed_decides_the_run() -> None:
    x, short = planted(500), TrainConfig(n_latents=32, k=2, steps=20, batch_size=64)
    first, again = train_sae(x, short), train_sae(x, short)
    other = train_sae(x, TrainConfig(n_latents=32, k=2, steps=20, batch_size=64, seed=1))
    assert torch.equal(first.W_dec, again.W_dec)
    assert not torch.equal(first.W_dec, other.W_dec)


def test_an_interrupted_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    x = planted(500)
    config = TrainConfig(n_latents=32, k=2, steps=30, batch_size=64, checkpoint_every=7)
    whole = train_sae(x, config)

    def stop_at_20(figures: StepFigures) -> None:
        if figures.step == 20:
            raise KeyboardInterrupt

    checkpoint = tmp_path / "training.pt"
    with pytest.raises(KeyboardInterrupt):
        train_sae(x, config, checkpoint=checkpoint, report=stop_at_20)
    seen: list[StepFigures] = []
    resumed = train_sae(x, config, checkpoint=checkpoint, report=seen.append)
    assert seen[0].step == 15  # the last checkpoint was at 14
    assert torch.equal(whole.W_enc, resumed.W_enc) and torch.equal(whole.W_dec, resumed.W_dec)
    assert checkpoint.exists()  # the caller removes it once the SAE is saved
    with pytest.raises(TrainingError, match="other settings or embeddings"):
        train_sae(x.flip(0), config, checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(TrainingError, match="damaged"):
        train_sae(x, config, checkpoint=checkpoint)


def test_rows_are_permuted_once_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    x, made, real = planted(500), [], torch.randperm
    monkeypatch.setattr(trainer.torch, "randperm", lambda *args, **kwargs: made.append(args) or real(*args, **kwargs))
    trainer._permutation.cache_clear()
    train_sae(x, TrainConfig(n_latents=32, k=2, steps=20, batch_size=50))
    assert made == [(500,)] * 2


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    x, checkpoint = planted(500), tmp_path / "training.pt"

    def stop(figures: StepFigures) -> None:
        if figures.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_sae(x, TrainConfig(n_latents=32, k=2, steps=9, checkpoint_every=5), checkpoint=checkpoint, report=stop)
    with pytest.raises(TrainingError, match="other settings"):
        train_sae(x, TrainConfig(n_latents=32, k=3, steps=9, checkpoint_every=5), checkpoint=checkpoint)


def test_schedules_at_their_corners() -> None:
    config = TrainConfig(n_latents=200, steps=1000, k_start=128, k_warmup_steps=100, lr_warmup_steps=10)
    assert [config.k_at(step) for step in (0, 50, 100, 999)] == [128, 72, 16, 16]
    assert config.lr_at(0) == pytest.approx(1e-4)
    assert config.lr_at(500) == 1e-3
    assert config.lr_at(999) == pytest.approx(1e-3 / 200)
    assert TrainConfig(n_latents=64, k=16).k_at(0) == 64  # never more than there are


@pytest.mark.parametrize(
    ("embeddings", "said"),
    [
        (torch.ones(5), "table"),
        (torch.ones(1, 4) / 2, "at least 2 rows"),
        (torch.ones(9, 4), "unit norm"),
        (torch.full((9, 4), torch.nan), "finite"),
    ],
)
def test_embeddings_that_cannot_be_trained_on(embeddings: torch.Tensor, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        train_sae(embeddings, TrainConfig(n_latents=8, k=2))


@pytest.mark.parametrize(
    "wrong", [{"k": 9}, {"k": 0}, {"steps": 0}, {"learning_rate": 0.0}, {"n_latents": 0}, {"seed": 2**32}]
)
def test_settings_that_make_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(TrainingError):
        TrainConfig(**{"n_latents": 8, "k": 2, **wrong})  # type: ignore[arg-type]
