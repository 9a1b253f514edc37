"""The ways to train that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # for the command line, which must not load torch to show its help
    from torch import Tensor

    from ltr_train.objective import Objective


class Method(StrEnum):
    """What is trained, and with which terms of the joint objective (docs/method.md, section 2).

    * joint: an energy model and its proposal; the features learn from the energy alone. The energy is evaluated.
    * teacher: an energy model and, with features of its own, a mixture density network that is its proposal and that it
      teaches. The mixture is evaluated.
    * mdn: a mixture density network alone.
    * fixed-noise: an energy model with samples from a fixed mixture about the label, as before the paper.
    """

    JOINT = "joint"
    TEACHER = "teacher"
    MDN = "mdn"
    FIXED_NOISE = "fixed-noise"

    @property
    def has_energy(self) -> bool:
        """Whether there is an energy model."""
        return self is not Method.MDN

    @property
    def has_mixture(self) -> bool:
        """Whether a mixture, of K components, is learned."""
        return self is not Method.FIXED_NOISE

    @property
    def evaluates_energy(self) -> bool:
        """Whether the energy model is what is evaluated; else the mixture is."""
        return self in (Method.JOINT, Method.FIXED_NOISE)

    def loss(self, terms: Objective) -> Tensor:
        """The loss ``[N]`` of each example."""
        match self:
            case Method.JOINT:
                return terms.nce + terms.kl
            case Method.TEACHER:
                return terms.nce + 0.5 * terms.kl + 0.5 * terms.nll
            case Method.MDN:
                return terms.nll
            case Method.FIXED_NOISE:
                return terms.nce


class Setting(NamedTuple):
    """A method, and K where it has a mixture."""

    method: Method
    k: int | None

    @property
    def name(self) -> str:
        """For example ``joint-k4``; of the method alone where there is no K."""
        return str(self.method) if self.k is None else f"{self.method}-k{self.k}"


def settings(methods: Sequence[Method], components: Sequence[int]) -> list[Setting]:
    """Every method with every K, without doubles; a method without a mixture once."""
    pairs = (Setting(method, k if method.has_mixture else None) for method in methods for k in components)
    return list(dict.fromkeys(pairs))
