"""ImageNet-VID.

Layout: ``<root>/Data/VID/train/<chunk>/<clip>/000000.JPEG`` and, of the same names,
``<root>/Annotations/VID/train/<chunk>/<clip>/000000.xml``; in ``val`` the clips lie without a chunk. An XML file has
``object`` with ``trackid``, ``name`` (WordNet number), ``bndbox`` and ``occluded``; those marked occluded are left out.
Corners are 0-based and inclusive, as the got10k toolkit reads them. Its class drops the occlusion flags and keeps a
cache in the working folder that does not notice another root, so this is read here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import partial
from pathlib import Path

from ltr_train.data.readers.clips import Clip, Frame, Item, expect_folder, pictures_in
from ltr_train.data.readers.options import SetConfig

SOURCE = "imagenet_vid"
_DEPTH = {"train": "*/*", "val": "*"}


def read(root: Path, config: SetConfig) -> list[Clip]:
    """Clips of a split."""
    split = config.chosen_split(*_DEPTH)
    notes = expect_folder(root / "Annotations" / "VID" / split, "ILSVRC's Annotations/VID beside Data/VID")
    pictures = expect_folder(root / "Data" / "VID" / split, "ILSVRC's Data/VID beside Annotations/VID")
    folders = sorted(folder for folder in notes.glob(_DEPTH[split]) if folder.is_dir())
    if not folders:
        raise ValueError(f"no clip in '{notes}'; expected {notes}/{_DEPTH[split]}/000000.xml")
    return [
        Clip(
            SOURCE,
            folder.name,
            (folder.parent.name,),
            partial(_frames, folder, pictures / folder.relative_to(notes), config.every),
        )
        for folder in folders
    ]


def _frames(notes: Path, pictures: Path, every: int) -> list[Frame]:
    names = {name.rpartition(".")[0]: name for name in pictures_in(pictures)}
    files = sorted(notes.glob("*.xml"))
    lost = [file.stem for file in files if file.stem not in names]
    if lost:
        raise ValueError(
            f"{len(lost)} pictures are missing in '{pictures}', first {lost[0]}.JPEG of {notes}/{lost[0]}.xml"
        )
    return [
        Frame(str(pictures / names[file.stem]), number, _items(file))
        for number, file in list(enumerate(files))[::every]
    ]


def _items(file: Path) -> tuple[Item, ...]:
    try:
        found = [_item(note) for note in ElementTree.parse(file).iterfind("object") if note.findtext("occluded") != "1"]
    except (ElementTree.ParseError, TypeError, ValueError) as error:
        raise ValueError(f"'{file}' is no annotation of ImageNet-VID (object with trackid, bndbox): {error}") from error
    return tuple(found)


def _item(note: ElementTree.Element) -> Item:
    x0, y0, x1, y1 = (float(note.findtext(f"bndbox/{side}") or "nan") for side in ("xmin", "ymin", "xmax", "ymax"))
    track = note.findtext("trackid")
    if track is None or x0 + y0 + x1 + y1 != x0 + y0 + x1 + y1:
        raise ValueError("an object lacks trackid or a side of bndbox")
    return Item((x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0), note.findtext("name") or "object", track)
