"""Small copies of the layouts that benchmarks are published in.

The target of a sequence is at `box(k)` in its k-th picture, counted from 0, and absent in those that the maker names;
a picture is grey of the level `shade(k)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 48, 32
FRAMES = 6
Box = tuple[float, float, float, float]


def box(k: int) -> Box:
    """x, y, w, h in 0-based pixels."""
    return 4.0 + k % 8, 3.0, 10.0, 8.0


def shade(k: int) -> int:
    """Of all pixels of a picture."""
    return k % 50 * 5


def pictures(folder: Path, names: Sequence[str], first: int = 0) -> None:
    """Writes a picture of each name; the first is the ``first``-th of its video."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names, first):
        (folder / name).write_bytes(_encoded(shade(k), Path(name).suffix))


@cache
def _encoded(level: int, suffix: str) -> bytes:
    return cv2.imencode(suffix, np.full((HEIGHT, WIDTH, 3), level, np.uint8))[1].tobytes()


def numbered(digits: int, frames: int = FRAMES, start: int = 1, suffix: str = ".jpg") -> list[str]:
    """Names of pictures."""
    return [f"{number:0{digits}}{suffix}" for number in range(start, start + frames)]


def lines(
    file: Path,
    frames: Iterable[int],
    origin: float,
    absent: dict[int, str] | None = None,
    separator: str = ",",
    form: Callable[[Box], str] | None = None,
) -> None:
    """Writes a line a frame: its box in that form, or what stands for an absent target."""
    file.parent.mkdir(parents=True, exist_ok=True)
    absent = absent or {}
    native = {k: (box(k)[0] + origin, box(k)[1] + origin, *box(k)[2:]) for k in frames}
    form = form or (lambda b: separator.join(f"{value:g}" for value in b))
    file.write_text("".join(absent.get(k, form(value)) + "\n" for k, value in native.items()))


def text(file: Path, content: str) -> None:
    """Writes a text file in a folder that need not be there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def flags(on: Iterable[int], separator: str, yes: str = "1", no: str = "0", frames: int = FRAMES) -> str:
    """A flag for each frame."""
    return separator.join(yes if k in set(on) else no for k in range(frames)) + "\n"


def lasot(root: Path, names: Sequence[str] = ("cat-1", "cat-20", "dog-3"), listed: bool = True) -> tuple[str, ...]:
    """LaSOT: frame 2 is fully occluded, frame 3 out of view."""
    for name in names:
        folder = root / name.rpartition("-")[0] / name
        pictures(folder / "img", numbered(8))
        lines(folder / "groundtruth.txt", range(FRAMES), 1)
        text(folder / "full_occlusion.txt", flags([2], ","))
        text(folder / "out_of_view.txt", flags([3], ","))
        text(root / "att" / f"{name}.txt", "0,0,0,0,0,0,0,0,1,1,0,1,0,0\n")
    if listed:
        text(root / "testing_set.txt", "".join(f"{name}\n" for name in names))
    return tuple(names)


def lasot_ext(root: Path) -> tuple[str, ...]:
    """LaSOT extension: the same folders without a list."""
    return lasot(root, ("atv-1", "atv-2"), listed=False)


def got10k_val(root: Path) -> tuple[str, ...]:
    """GOT-10k: frame 2 absent, frame 3 wholly covered."""
    names = ("GOT-10k_Val_000001", "GOT-10k_Val_000002")
    for name in names:
        folder = root / "val" / name
        pictures(folder, numbered(8))
        lines(folder / "groundtruth.txt", range(FRAMES), 1)
        text(folder / "absence.label", flags([2], "\n"))
        text(folder / "cover.label", flags([3], "\n", yes="0", no="8"))
        text(
            folder / "meta_info.ini",
            "[METAINFO]\nurl: https://video\nmajor_class: bird\nmotion_class: fly\nresolution: (48, 32)\n",
        )
    text(root / "val" / "list.txt", "\n".join(names) + "\n")
    return names


def got10k_test(root: Path) -> tuple[str, ...]:
    """GOT-10k: only the first frame has a box."""
    names = ("GOT-10k_Test_000001", "GOT-10k_Test_000002")
    for name in names:
        pictures(root / "test" / name, numbered(8))
        lines(root / "test" / name / "groundtruth.txt", [0], 1)
    text(root / "test" / "list.txt", "\n".join(names) + "\n")
    return names


def trackingnet(root: Path) -> tuple[str, ...]:
    """TrackingNet's test set, with more than ten pictures a clip, and a chunk of its training set."""
    names = ("-abc_0", "xyz_1")
    for chunk, annotated in (("TEST", 1), ("TRAIN_0", 12)):
        for name in names:
            pictures(root / chunk / "frames" / name, numbered(1, 12, 0))
            lines(root / chunk / "anno" / f"{name}.txt", range(annotated), 0)
    return names


def otb(root: Path) -> tuple[str, ...]:
    """OTB: a usual sequence, two targets in one folder, one that begins late, one whose first frames do not count."""
    pictures(root / "Basketball" / "img", numbered(4))
    lines(root / "Basketball" / "groundtruth_rect.txt", range(FRAMES), 1)
    pictures(root / "Skating2" / "img", numbered(4))
    for target in (1, 2):
        file = root / "Skating2" / f"groundtruth_rect.{target}.txt"
        lines(file, range(FRAMES), 1, separator="\t")
    pictures(root / "David" / "img", numbered(4, 771))
    lines(root / "David" / "groundtruth_rect.txt", range(299, 770), 1)
    return "Basketball", "Skating2-1", "Skating2-2", "David"


def otb100(root: Path) -> tuple[str, ...]:
    """OTB-100 has more of them."""
    names = otb(root)
    pictures(root / "Tiger1" / "img", numbered(4, 9))
    lines(root / "Tiger1" / "groundtruth_rect.txt", range(9), 1)
    pictures(root / "Human4" / "img", numbered(4))
    text(root / "Human4" / "groundtruth_rect.1.txt", "")
    lines(root / "Human4" / "groundtruth_rect.2.txt", range(FRAMES), 1)
    pictures(root / "BlurCar1" / "img", numbered(4, start=247))
    lines(root / "BlurCar1" / "groundtruth_rect.txt", range(FRAMES), 1, {FRAMES - 1: "0,0,0,0"})
    return *names, "Tiger1", "Human4-2", "BlurCar1"


def uav123(root: Path) -> tuple[str, ...]:
    """UAV123: two sequences that share a frame of one folder; frame 2 absent."""
    return _uav(root, "UAV123", "UAV123", {"truck4_1": ("truck4", 1, 577), "truck4_2": ("truck4", 577, 1261)})


def uav123_10fps(root: Path) -> tuple[str, ...]:
    """The same at 10 frames a second."""
    parts = {"bird1_1": ("bird1", 1, 85), "bird1_2": ("bird1", 259, 493)}
    return _uav(root, "UAV123_10fps", "UAV123_10fps", parts)


def uav20l(root: Path) -> tuple[str, ...]:
    """UAV20L."""
    return _uav(root, "UAV123", "UAV20L", {"car3": ("car3", 1, 1717)})


def _uav(root: Path, video: str, annotation: str, parts: dict[str, tuple[str, int, int]]) -> tuple[str, ...]:
    for name, (folder, first, last) in parts.items():
        pictures(root / "data_seq" / video / folder, numbered(6, last - first + 1, first), first - 1)
        file = root / "anno" / annotation / f"{name}.txt"
        lines(file, range(first - 1, last), 1, {first + 1: "NaN,NaN,NaN,NaN"})
        text(file.parent / "att" / file.name, "1,0,0,0,0,0,1,0,0,0,0,0\n")
    return tuple(parts)


def nfs30(root: Path) -> tuple[str, ...]:
    """NfS: one sequence with a line for each of 240 frames a second, one with a line for each picture."""
    _nfs(root, 30, "airplane", range(FRAMES), lambda: [k // 8 for k in range(8 * FRAMES - 3)])
    _nfs(root, 30, "zebra fish", range(FRAMES), lambda: list(range(FRAMES - 1)))
    return "airplane", "zebra fish"


def nfs240(root: Path) -> tuple[str, ...]:
    """NfS at 240 frames a second."""
    _nfs(root, 240, "airplane", range(16), lambda: list(range(16)))
    return ("airplane",)


def _nfs(root: Path, fps: int, name: str, frames: range, annotated: Callable[[], list[int]]) -> None:
    pictures(root / name / str(fps) / name, numbered(5, len(frames)))
    rows = ((k, *box(k)) for k in annotated())
    content = "".join(f'0 {x:g} {y:g} {x + w:g} {y + h:g} {k} 0 0 0 "target"\n' for k, x, y, w, h in rows)
    text(root / name / str(fps) / f"{name}.txt", content)


def tnl2k(root: Path) -> tuple[str, ...]:
    """TNL2K: frame 2 absent; pictures of either kind, with names of any form."""
    for name, suffix in (("Cat_video_01", ".jpg"), ("advSamp_Dog", ".png")):
        pictures(root / name / "imgs", numbered(5, suffix=suffix))
        lines(root / name / "groundtruth.txt", range(FRAMES), 1, {2: "0,0,0,0"})
        text(root / name / "language.txt", "the cat on the left\n")
    return "Cat_video_01", "advSamp_Dog"


def dtb70(root: Path) -> tuple[str, ...]:
    """DTB70: frame 2 absent."""
    for name in ("Animal1", "Gull2"):
        pictures(root / name / "img", numbered(5))
        lines(root / name / "groundtruth_rect.txt", range(FRAMES), 1, {2: "0,0,0,0"})
    return "Animal1", "Gull2"


def tcolor128(root: Path) -> tuple[str, ...]:
    """TColor128: annotated from the third picture to the last but one."""
    pictures(root / "Ball_ce1" / "img", numbered(4))
    lines(root / "Ball_ce1" / "Ball_ce1_gt.txt", range(2, FRAMES - 1), 1)
    text(root / "Ball_ce1" / "Ball_ce1_frames.txt", f"3,{FRAMES - 1}\n")
    return ("Ball_ce1",)


def vot(root: Path) -> tuple[str, ...]:
    """VOT: rectangles of a long-term challenge, polygons of until 2019, masks; frame 2 absent."""
    pictures(root / "bag" / "color", numbered(8))
    lines(root / "bag" / "groundtruth.txt", range(FRAMES), 0, {2: "nan,nan,nan,nan"})
    text(root / "bag" / "sequence", "channels.color=color/%08d.jpg\nfps=30\nformat=default\nname=bag\n")
    text(root / "bag" / "camera_motion.tag", flags([1], "\n"))
    text(root / "bag" / "occlusion.tag", flags([], "\n"))
    pictures(root / "fish1", numbered(8))
    lines(root / "fish1" / "groundtruth.txt", range(FRAMES), 0, {2: "0"}, form=_diamond)
    pictures(root / "girl" / "color", numbered(8))
    lines(root / "girl" / "groundtruth.txt", range(FRAMES), 0, {2: "m0,0,0,0,0"}, form=_mask)
    text(root / "list.txt", "bag\nfish1\ngirl\n")
    return "bag", "fish1", "girl"


def _diamond(b: Box) -> str:
    x, y, w, h = b
    return f"{x + w / 2},{y},{x + w},{y + h / 2},{x + w / 2},{y + h},{x},{y + h / 2}"


def _mask(b: Box) -> str:
    """All of the box but its upper left pixel, in a frame a pixel wider and higher all around."""
    x, y, w, h = (int(value) for value in b)
    runs = [w + 2 + 2, w - 1]
    for _ in range(h - 1):
        runs += [2, w]
    return f"m{x - 1},{y - 1},{w + 2},{h + 2}," + ",".join(map(str, runs))


def folder(root: Path) -> tuple[str, ...]:
    """A plain folder: frame 2 absent; pictures beside the annotation, or in img."""
    for name, place in (("a", ""), ("b", "img")):
        pictures(root / name / place, numbered(1))
        lines(root / name / "groundtruth.txt", range(FRAMES), 0, {2: "nan,nan,nan,nan"})
    return "a", "b"


MAKERS: dict[str, Callable[[Path], tuple[str, ...]]] = {
    "lasot": lasot,
    "lasot_ext": lasot_ext,
    "got10k_val": got10k_val,
    "got10k_test": got10k_test,
    "trackingnet": trackingnet,
    "otb50": otb,
    "otb100": otb100,
    "uav123": uav123,
    "uav123_10fps": uav123_10fps,
    "uav20l": uav20l,
    "nfs30": nfs30,
    "nfs240": nfs240,
    "tnl2k": tnl2k,
    "dtb70": dtb70,
    "tcolor128": tcolor128,
    "vot": vot,
    "folder": folder,
}
"""By name of the benchmark: writes a small copy into a root and gives the names of its sequences.

Where the benchmark has a fixed list (OTB, UAV123) the copy is read with ``only`` these names.
"""
