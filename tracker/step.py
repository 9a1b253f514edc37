"""One frame of the Bayes filter, with its noise and the templates' renewal about it."""

from __future__ import annotations

from torch import Tensor

from networks.posterior import Posterior
from tracker.config import TrackerConfig
from tracker.engines import Engine
from tracker.filter import Settings
from tracker.noise import box_noise
from tracker.state import State
from tracker.template import Views, sure_views


def step(engine: Engine, state: State, crops: Tensor, config: TrackerConfig) -> tuple[State, Posterior, Views | None]:
    """Tracks every target of a batch through one frame.

    Args:
        engine: what runs the networks.
        state: of ``N`` targets.
        crops: ``[N, 3, search_size, search_size]`` uint8 BGR, cut at ``state.region``.
        config: how to track.

    Returns:
        The new state; the posterior over (cx, cy, w, h) in frame pixels, batch ``[N]``; and the views from which
        templates are to be renewed, if there are any.
    """
    noise = box_noise(state.seed, state.frame, config.samples)
    tracked = engine.estimate(state, crops, noise, Settings.of(engine.model.config, config), config)
    return tracked.after, tracked.posterior, sure_views(engine.model, state, tracked, config)
