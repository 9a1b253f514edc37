"""Pairs of template and search crops, made on the fly, each determined by the seed and its index alone."""

import numpy as np
from torch.utils.data import Dataset

from ltr_train.data.annotators import drawn
from ltr_train.data.bank import Bank
from ltr_train.data.clutter import add_clutter
from ltr_train.data.config import PairConfig
from ltr_train.data.corpus import Corpus
from ltr_train.data.geometry import Box, to_crop_coordinates
from ltr_train.data.photometric import Photometry
from ltr_train.data.plan import Plan
from ltr_train.data.recipes import Recipe, composed, patch, still, video
from networks.config import ModelConfig

KINDS = ("video", "cutout", "still", "patch")
_RECIPES: tuple[Recipe, ...] = (video, composed, still, patch)


class PairDataset(Dataset[dict[str, np.ndarray]]):
    """Training pairs.

    Item ``index`` is a dict of

    * ``template``: [T, T, 3] uint8 BGR with T the template's size, ``template_box``: [4] float32;
    * ``search``: [S, S, 3] uint8 BGR with S the search region's size;
    * ``search_box``: [4] float32, zeros where the target is absent;
    * ``present``: bool, the search crop shows the target;
    * ``kind``: int64, index into ``KINDS``.

    Boxes are (cx, cy, log w, log h) in units of the crop's side, origin at the crop's centre; a box is the
    whole target as an annotator would draw it, also where it is occluded or reaches out of the crop.

    Args:
        corpus: The pictures, shared by the workers when they fork.
        config: Recipe.
        seed: Together with the index determines a pair.
        crops: Configuration of the network that the crops are for; the default network's when left out.

    Raises:
        ValueError: The split has nothing to make any kind of positive weight from.
    """

    def __init__(self, corpus: Corpus, config: PairConfig, seed: int = 0, crops: ModelConfig | None = None) -> None:
        self.config = config
        self._bank = Bank(corpus, config, crops or ModelConfig())
        self._seed = seed
        possible = (
            len(self._bank.tracks),
            len(self._bank.cutouts),
            len(self._bank.stills),
            len(self._bank.pictures),
        )
        weights = np.array([config.video, config.cutout, config.still, config.patch]) * (np.array(possible) > 0)
        if weights.sum() <= 0.0:
            wanted = [kind for kind in KINDS if getattr(config, kind) > 0.0]
            raise ValueError(
                f"the '{config.split}' split of the corpus cannot make pairs of kind {wanted}; expected "
                "tracks for video, masks for cutout, boxes for still, or a positive weight of patch"
            )
        self._share = np.cumsum(weights) / weights.sum()

    def __len__(self) -> int:
        return self.config.pairs

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return self.plan(index).realised()

    def plan(self, index: int) -> Plan:
        """What item ``index`` is to be, without its pixels."""
        rng = np.random.default_rng([self._seed, index])
        kind = int(np.searchsorted(self._share, rng.random(), side="right"))
        scene = _RECIPES[kind](self._bank, self.config, rng)
        add_clutter(scene, self._bank, self.config, rng)
        template, search = scene.template, scene.search
        photometry = Photometry(self.config, rng)
        changes = photometry.draw(template.size, is_search=False), photometry.draw(search.size, is_search=True)
        noise = self.config.label_noise
        template_box, search_box = drawn(template.box, rng, 0.02, 0.02), drawn(search.box, rng, 0.5 * noise, noise)
        flip = bool(rng.random() < self.config.flip)
        if flip:
            template_box, search_box = _mirrored(template_box, template.size), _mirrored(search_box, search.size)
        return Plan(
            (template, search),
            changes,
            flip,
            to_crop_coordinates(template_box, template.size),
            to_crop_coordinates(search_box, search.size) if scene.present else np.zeros(4, np.float32),
            scene.present,
            kind,
        )


def _mirrored(box: Box, size: int) -> Box:
    return size - box[0] - box[2], box[1], box[2], box[3]
