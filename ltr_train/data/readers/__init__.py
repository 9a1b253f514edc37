"""Readers of data sets, by the name that a configuration gives them."""

from collections.abc import Callable
from pathlib import Path

from ltr_train.data.readers import coco, coco_tracks, davis, got10k, imagenet_vid, lasot, trackingnet, youtube_vos
from ltr_train.data.readers.clips import Clip
from ltr_train.data.readers.options import ReaderName, SetConfig

READERS: dict[ReaderName, Callable[[Path, SetConfig], list[Clip]]] = {
    "coco_tracks": coco_tracks.read,
    "got10k": got10k.read,
    "lasot": lasot.read,
    "trackingnet": trackingnet.read,
    "imagenet_vid": imagenet_vid.read,
    "coco": coco.read,
    "youtube_vos": youtube_vos.read,
    "davis": davis.read,
}

__all__ = ["READERS", "Clip", "SetConfig"]
