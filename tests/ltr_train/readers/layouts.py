"""Small copies of the layouts of real data sets, with pictures of 64 x 48 px."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ltr_train.data.corpus import Corpus
from ltr_train.data.readers import SetConfig
from ltr_train.data.sets import index_sets, load_sets

WIDTH, HEIGHT = 64, 48
Box = tuple[float, float, float, float]


def load(reader: str, root: Path, longest: int = 512, memory_gb: float = 1.0, **options: Any) -> Corpus:
    """One data set as training reads it."""
    chosen = SetConfig.model_validate({"reader": reader, **options})
    return load_sets(root, [chosen], longest=longest, memory_gb=memory_gb)


def problems(reader: str, root: Path, **options: Any) -> tuple[str, ...]:
    """What indexing a data set finds wrong with its clips."""
    return index_sets(root, [SetConfig.model_validate({"reader": reader, **options})], 512).sets[0].problems


def boxes(corpus: Corpus) -> list[list[Box]]:
    """Boxes of every picture, in order."""
    return [[corpus.annotations[i].box for i in picture.annotations] for picture in corpus.pictures]


def categories(corpus: Corpus) -> set[str]:
    """Names of the categories that occur."""
    return {annotation.category for annotation in corpus.annotations}


def write_picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT), number: int = 0) -> None:
    """Grey blocks that differ with ``number``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(number).integers(40, 220, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST))


def write_lines(path: Path, *lines: object) -> None:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def got10k(root: Path, clip: str = "GOT-10k_Train_000001") -> Path:
    """Four frames; the second is absent, the third covered. Boxes are 1-based."""
    folder = root / "train" / clip
    for i in range(4):
        write_picture(folder / f"{i + 1:08d}.jpg", number=i)
    write_lines(folder / "groundtruth.txt", *(f"{5 + i}.0000,7.0000,20.0000,16.0000" for i in range(4)))
    write_lines(folder / "absence.label", 0, 1, 0, 0)
    write_lines(folder / "cover.label", 8, 8, 0, 3)
    write_lines(folder / "cut_by_image.label", 0, 0, 0, 0)
    write_lines(folder / "meta_info.ini", "[METAINFO]", "url: none", "object_class: bear", "motion_class: walk")
    known = (root / "train" / "list.txt").read_text() if (root / "train" / "list.txt").exists() else ""
    write_lines(root / "train" / "list.txt", *known.split(), clip)
    return folder


def lasot(root: Path, clip: str = "bear-2") -> Path:
    """Three frames; the second out of view. Boxes are 1-based."""
    folder = root / clip.rpartition("-")[0] / clip
    for i in range(3):
        write_picture(folder / "img" / f"{i + 1:08d}.jpg", number=i)
    write_lines(folder / "groundtruth.txt", "1,1,20,16", "0,0,0,0", "11,9,20,16")
    write_lines(folder / "full_occlusion.txt", "0,0,0")
    write_lines(folder / "out_of_view.txt", "0,1,0")
    write_lines(root / "training_set.txt", clip)
    return folder


def trackingnet(root: Path, clip: str = "abc_0", chunk: str = "TRAIN_3") -> Path:
    """Eleven frames named without leading zeros, the box moving by a pixel; it begins left of the picture."""
    for i in range(11):
        write_picture(root / chunk / "frames" / clip / f"{i}.jpg", number=i)
    write_lines(root / chunk / "anno" / f"{clip}.txt", *(f"{i - 2}.00,8.00,20.00,16.00" for i in range(11)))
    return root / chunk


def vid_note(*objects: tuple[int, int, Box]) -> str:
    """An XML file of ImageNet-VID: track, occluded, corners (xmin, ymin, xmax, ymax)."""
    inner = "".join(
        f"<object><trackid>{track}</trackid><name>n02084071</name><bndbox><xmax>{c[2]}</xmax><xmin>{c[0]}</xmin>"
        f"<ymax>{c[3]}</ymax><ymin>{c[1]}</ymin></bndbox><occluded>{hidden}</occluded><generated>0</generated></object>"
        for track, hidden, c in objects
    )
    return f"<annotation><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>{inner}</annotation>"


def imagenet_vid(root: Path) -> Path:
    """Three frames of two objects; one is occluded in the second, and in the third frame there is nothing."""
    place = Path("VID") / "train" / "ILSVRC2015_VID_train_0000" / "ILSVRC2015_train_00000000"
    notes = [
        vid_note((0, 0, (4, 6, 23, 21)), (1, 0, (30, 10, 49, 29))),
        vid_note((0, 0, (5, 6, 24, 21)), (1, 1, (31, 10, 50, 29))),
        vid_note(),
    ]
    for i, note in enumerate(notes):
        write_picture(root / "Data" / place / f"{i:06d}.JPEG", number=i)
        write_lines(root / "Annotations" / place / f"{i:06d}.xml", note)
    return root / "Annotations" / place


def write_indices(path: Path, *rectangles: tuple[int, int, int, int, int]) -> None:
    """A palette PNG: number of the object and its rectangle x, y, w, h."""
    indices = np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, x, y, w, h in rectangles:
        indices[y : y + h, x : x + w] = number
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(indices, mode="P")
    # Colours as DAVIS has them, which are not the numbers.
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [0] * 756)
    picture.save(path)


def _masked_clip(pictures: Path, masks: Path) -> None:
    for i in range(3):
        write_picture(pictures / f"{5 * i:05d}.jpg", number=i)
        second = ((2, 40, 20, 12, 14),) if i else ()
        write_indices(masks / f"{5 * i:05d}.png", (1, 4 + i, 6, 20, 16), *second)


def youtube_vos(root: Path) -> Path:
    """One clip of three frames; its second object comes in with the second frame."""
    folder = root / "train"
    _masked_clip(folder / "JPEGImages" / "003234408d", folder / "Annotations" / "003234408d")
    objects = {"1": {"category": "penguin", "frames": ["00000"]}, "2": {"category": "sheep", "frames": ["00005"]}}
    (folder / "meta.json").write_text(json.dumps({"videos": {"003234408d": {"objects": objects}}}))
    return folder


def davis(root: Path) -> Path:
    """The same clip as DAVIS lays it out."""
    _masked_clip(root / "JPEGImages" / "480p" / "bear", root / "Annotations" / "480p" / "bear")
    write_lines(root / "ImageSets" / "2017" / "train.txt", "bear")
    return root


def coco(root: Path, split: str = "train2017", pictures: str = "train2017") -> Path:
    """Three pictures: a dog with polygons, a cat with run lengths beside a crowd, and nothing."""
    for i in range(3):
        write_picture(root / pictures / f"{i:012d}.jpg", number=i)
    images = [{"id": i, "file_name": f"{i:012d}.jpg", "width": WIDTH, "height": HEIGHT} for i in range(3)]
    square = [4.0, 6.0, 24.0, 6.0, 24.0, 22.0, 4.0, 22.0]
    # Uncompressed run lengths go down the columns: 10 columns, then 12 of 8 background, 20 object, 20 background.
    counts = [10 * HEIGHT + 8, *([20, HEIGHT - 20] * 12)]
    counts[-1] += (WIDTH - 22) * HEIGHT - 8
    cat = {"size": [HEIGHT, WIDTH], "counts": counts}
    crowd = {"size": [HEIGHT, WIDTH], "counts": [0, WIDTH * HEIGHT]}
    notes = [
        {"id": 1, "image_id": 0, "category_id": 18, "bbox": [4, 6, 20, 16], "segmentation": [square], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 17, "bbox": [10, 8, 12, 20], "segmentation": cat, "iscrowd": 0},
        {"id": 3, "image_id": 1, "category_id": 17, "bbox": [0, 0, 64, 48], "segmentation": crowd, "iscrowd": 1},
    ]
    names = [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]
    file = root / "annotations" / f"instances_{split}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"images": images, "annotations": notes, "categories": names}))
    return file
