"""Gradient statistics taken at the start, during and at the end of training, always on the same batch."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Batch, Gradients, Program
from benchsuite.measure.gradients import Decay, GroupStatistics, decay, group_statistics, lag_profile
from benchsuite.schema import ModelSpec, Recurrent, Series


def snapshot_epochs(epochs: int, snapshots: int) -> list[int]:
    """Epochs before which a snapshot is taken, evenly from 0; the one after the last epoch is not listed."""
    return sorted({index * epochs // (snapshots - 1) for index in range(snapshots - 1)})


@dataclass
class Snapshots:
    """Statistics of one fixed batch by epoch."""

    model: ModelSpec
    batch: Batch
    truncation: int | None = None
    epochs: list[int] = field(default_factory=list)
    groups: list[dict[str, GroupStatistics]] = field(default_factory=list)
    profiles: list[dict[str, np.ndarray]] = field(default_factory=list)
    decays: list[dict[str, Decay]] = field(default_factory=list)

    def take(self, program: Program, epoch: int) -> None:
        """Take a snapshot of `program` as it is after `epoch` epochs."""
        self.add(program.gradients(program.place(self.batch)), epoch)

    def add(self, gradients: Gradients, epoch: int) -> None:
        """Note down a backward pass over the batch."""
        profiles = {
            layer: lag_profile(state, self._lengths(layer), layer.endswith(".bwd"), self.batch.resets)
            for layer, state in gradients.states.items()
        }
        self.epochs.append(epoch)
        self.groups.append(group_statistics(gradients.parameters))
        self.profiles.append(profiles)
        self.decays.append(
            {
                layer: decay(profile, self._loss_at_end(layer), self.truncation)
                for layer, profile in profiles.items()
            }
        )

    def _lengths(self, layer: str) -> np.ndarray:
        """(B,): the steps of each row in `layer`: a decoder's are those of the targets."""
        by_target = layer.startswith("dec.") and self.batch.target_lengths is not None
        lengths = self.batch.target_lengths if by_target else self.batch.lengths
        assert lengths is not None
        return lengths

    def _loss_at_end(self, layer: str) -> bool:
        """Whether all of the loss reaches `layer` through its last state: so it is with readout `last`, and
        for an encoder whose decoder has nothing but that state to start from."""
        if layer.startswith("dec.") or self.model.readout != "last":
            return False
        return self.model.decoder is None or self.model.decoder.attention == "none"

    @property
    def principal(self) -> str | None:
        """The layer whose decay is the model's: the top one (of the encoder), forwards."""
        body = self.model.body
        return f"rnn.l{body.layers - 1}.fwd" if isinstance(body, Recurrent) else None

    def scalars(self) -> dict[str, float]:
        """Start and end figures; the curves in between are series."""
        found: dict[str, float] = {}
        for moment, groups in (("start", self.groups[0]), ("end", self.groups[-1])):
            whole = groups["all"]
            found[f"gradient/norm_{moment}"] = whole.norm
            found[f"gradient/maximum_{moment}"] = whole.maximum
            found[f"gradient/zero_fraction_{moment}"] = whole.zero_fraction
        layer = self.principal
        if layer is not None:
            for moment, decays in (("start", self.decays[0]), ("end", self.decays[-1])):
                found[f"gradient/slope_per_step_{moment}"] = decays[layer].slope
                found[f"gradient/half_life_steps_{moment}"] = decays[layer].half_life
                found[f"gradient/change_{moment}"] = decays[layer].change
            found["gradient/half_life_steps"] = self.decays[-1][layer].half_life
        return found

    def verdict(self) -> str:
        """Vanishing or exploding if it was so at the start or is so at the end; the start counts first,
        because that is where training has to begin."""
        layer = self.principal
        if layer is None:
            return "undefined"
        verdicts = [decays[layer].verdict for decays in (self.decays[0], self.decays[-1])]
        return next((verdict for verdict in verdicts if verdict != "stable"), "stable")

    def series(self) -> list[Series]:
        """|dL/dh| by lag for every layer and moment; norm, maximum, zero fraction by group over epochs."""
        found = []
        for moment, profiles in zip(self._moments(), self.profiles, strict=True):
            for layer, profile in profiles.items():
                lags = np.flatnonzero(np.isfinite(profile))
                name = f"gradient/state/{layer}/{moment}"
                found.append(Series(name=name, axis="lag", x=lags.tolist(), y=profile[lags].tolist()))
        epochs = [float(epoch) for epoch in self.epochs]
        for group in self.groups[0]:
            for figure in ("norm", "maximum", "zero_fraction"):
                values = [getattr(groups[group], figure) for groups in self.groups]
                name = f"gradient/{figure}/{group}"
                found.append(Series(name=name, axis="epoch", x=epochs, y=values))
        return found

    def _moments(self) -> list[str]:
        """`start`, `epoch_<n>` in between, `end`: the same words for trials of any length."""
        between = [f"epoch_{epoch}" for epoch in self.epochs[1:-1]]
        return ["start", *between, "end"][: len(self.epochs)]
