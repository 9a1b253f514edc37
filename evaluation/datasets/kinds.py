"""The benchmarks: what each is called, how its folders look, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from evaluation import sequences as plain
from evaluation.annotation_files import read_boxes
from evaluation.datasets import folders, otb, uav, vot
from evaluation.datasets.files import BoxReader, Labels, SequenceFiles, load
from evaluation.sequences import Sequence

Reader = Callable[[], Sequence]


@dataclass(frozen=True)
class DatasetKind:
    """A benchmark as it is published."""

    name: str
    """What it is called on the command line."""
    title: str
    paper: str
    layout: str
    """Its folders and files, for people."""
    sequences: int | None
    """How many it has; None where that depends on the edition."""
    convention: str
    """The convention of scores (`evaluation.conventions`) that its authors use."""
    native_origin: float
    """What its files' x and y have more than 0-based pixels."""
    readers: Callable[[Path, float], dict[str, Reader]] = field(repr=False)
    """What reads each sequence of a root, given the native origin; raises DatasetError where the root is wrong."""


def _readers(
    find: Callable[[Path], list[SequenceFiles]],
    boxes_of: BoxReader = read_boxes,
    labels: Labels | None = None,
    first_only: bool = False,
    slack: int = 0,
) -> Callable[[Path, float], dict[str, Reader]]:
    """Readers of a benchmark that consists of pictures and text files; see `load`."""

    def of(root: Path, origin: float) -> dict[str, Reader]:
        read = partial(load, origin=origin, boxes_of=boxes_of, labels=labels, first_only=first_only, slack=slack)
        return {files.name: partial(read, files) for files in find(root)}

    return of


def _plain(root: Path, _: float) -> dict[str, Reader]:
    return {name: partial(plain.read_sequence, root / name) for name in plain.sequence_names(root)}


def _lasot_files(name: str) -> str:
    rows = (
        (f"{name[:-2]}/{name}/img/00000001.jpg ...", ""),
        (f"{name[:-2]}/{name}/groundtruth.txt", "x,y,w,h a line, 1-based"),
        (f"{name[:-2]}/{name}/full_occlusion.txt", "0 or 1 for each frame, in one line"),
        (f"{name[:-2]}/{name}/out_of_view.txt", "the same"),
        (f"att/{name}.txt", "14 flags, from its evaluation toolkit; may be missing"),
    )
    return "\n".join(f"ROOT/{path:<41}{meaning}".rstrip() for path, meaning in rows)


_LASOT = "Fan et al., LaSOT: A High-quality Benchmark for Large-scale Single Object Tracking, CVPR 2019"
_LASOT_EXT = "Fan et al., LaSOT: A High-quality Large-scale Single Object Tracking Benchmark, IJCV 2021"
_GOT10K = "Huang et al., GOT-10k: A Large High-Diversity Benchmark for Generic Object Tracking in the Wild, TPAMI 2021"
_TRACKINGNET = "Mueller et al., TrackingNet: A Large-Scale Dataset and Benchmark for Object Tracking, ECCV 2018"
_OTB = "Wu et al., Object Tracking Benchmark, TPAMI 2015"
_UAV = "Mueller et al., A Benchmark and Simulator for UAV Tracking, ECCV 2016"
_NFS = "Kiani Galoogahi et al., Need for Speed: A Benchmark for Higher Frame Rate Object Tracking, ICCV 2017"
_TNL2K = "Wang et al., Towards More Flexible and Accurate Object Tracking with Natural Language, CVPR 2021"
_DTB70 = "Li and Yeung, Visual Object Tracking for Unmanned Aerial Vehicles, AAAI 2017"
_TCOLOR = "Liang et al., Encoding Color Information for Visual Tracking, TIP 2015"
_VOT = "Kristan et al., A Novel Performance Evaluation Methodology for Single-Target Trackers, TPAMI 2016"

_OTB_FILES = """ROOT/Basketball/img/0001.jpg ...
                groundtruth_rect.txt          x,y,w,h a line, by commas, tabs or blanks, 1-based
ROOT/Jogging/img/0001.jpg ...
             groundtruth_rect.1.txt           Jogging-1; groundtruth_rect.2.txt: Jogging-2"""
_UAV_FILES = """ROOT/data_seq/{pictures}/bike1/000001.jpg ...
ROOT/anno/{boxes}/bike1.txt                   x,y,w,h a line, NaN where absent, 1-based
               att/bike1.txt                  12 flags, may be missing"""
_NFS_FILES = """ROOT/airplane/{fps}/airplane/00001.jpg ...
                  airplane.txt                number left top right bottom ... a line, 0-based"""

_LASOT_LABELS = Labels(folders.lasot_absent, folders.lasot_attributes)
_OTB_LABELS = Labels(attributes=otb.attributes)
_UAV_LABELS = Labels(attributes=uav.attributes)

_KINDS = (
    DatasetKind(
        "lasot",
        "LaSOT, test set",
        _LASOT,
        "ROOT/testing_set.txt                          names; the published list where it is missing\n"
        + _lasot_files("airplane-1"),
        280,
        "lasot",
        1.0,
        _readers(folders.lasot, labels=_LASOT_LABELS),
    ),
    DatasetKind(
        "lasot_ext",
        "LaSOT extension",
        _LASOT_EXT,
        _lasot_files("atv-1"),
        150,
        "lasot",
        1.0,
        _readers(folders.in_every_folder("*/*/groundtruth.txt", "img"), labels=_LASOT_LABELS),
    ),
    DatasetKind(
        "got10k_val",
        "GOT-10k, validation set",
        _GOT10K,
        """ROOT/val/list.txt                             names
ROOT/val/GOT-10k_Val_000001/00000001.jpg ...
                            groundtruth.txt   x,y,w,h a line, 1-based
                            absence.label     0 or 1 a line
                            cover.label       0 (hidden) to 8 a line
                            meta_info.ini     may be missing""",
        180,
        "got10k",
        1.0,
        _readers(folders.got10k("val"), labels=Labels(folders.got10k_absent, folders.got10k_attributes)),
    ),
    DatasetKind(
        "got10k_test",
        "GOT-10k, test set",
        _GOT10K,
        """ROOT/test/list.txt                            names
ROOT/test/GOT-10k_Test_000001/00000001.jpg ...
                              groundtruth.txt x,y,w,h of the first frame, 1-based""",
        180,
        "got10k",
        1.0,
        _readers(folders.got10k("test"), first_only=True),
    ),
    DatasetKind(
        "trackingnet",
        "TrackingNet, test set (a ROOT that is a chunk such as TRAIN_0: that chunk)",
        _TRACKINGNET,
        """ROOT/TEST/frames/NAME/0.jpg, 1.jpg ...
ROOT/TEST/anno/NAME.txt                       x,y,w,h of the first frame (TRAIN_*: a line a frame), 0-based""",
        511,
        "pytracking",
        0.0,
        _readers(folders.trackingnet, first_only=True),
    ),
    DatasetKind("otb50", "OTB-50", _OTB, _OTB_FILES, 50, "otb", 1.0, _readers(otb.otb50, labels=_OTB_LABELS)),
    DatasetKind("otb100", "OTB-100", _OTB, _OTB_FILES, 100, "otb", 1.0, _readers(otb.otb100, labels=_OTB_LABELS)),
    DatasetKind(
        "uav123",
        "UAV123",
        _UAV,
        _UAV_FILES.format(pictures="UAV123", boxes="UAV123"),
        123,
        "otb",
        1.0,
        _readers(uav.uav123, labels=_UAV_LABELS),
    ),
    DatasetKind(
        "uav123_10fps",
        "UAV123 at 10 frames a second",
        _UAV,
        _UAV_FILES.format(pictures="UAV123_10fps", boxes="UAV123_10fps"),
        123,
        "otb",
        1.0,
        _readers(uav.uav123_10fps, labels=_UAV_LABELS),
    ),
    DatasetKind(
        "uav20l",
        "UAV20L, long sequences",
        _UAV,
        _UAV_FILES.format(pictures="UAV123", boxes="UAV20L"),
        20,
        "otb",
        1.0,
        _readers(uav.uav20l, labels=_UAV_LABELS),
    ),
    DatasetKind(
        "nfs30",
        "NfS at 30 frames a second",
        _NFS,
        _NFS_FILES.format(fps="30") + "\n(where it has lines for 240 frames a second, each eighth counts)",
        100,
        "otb",
        0.0,
        _readers(folders.nfs(30), folders.read_nfs, slack=1),
    ),
    DatasetKind(
        "nfs240",
        "NfS at 240 frames a second",
        _NFS,
        _NFS_FILES.format(fps="240"),
        100,
        "otb",
        0.0,
        _readers(folders.nfs(240), folders.read_nfs, slack=1),
    ),
    DatasetKind(
        "tnl2k",
        "TNL2K, test set",
        _TNL2K,
        """ROOT/NAME/imgs/*.jpg or *.png
          groundtruth.txt                     x,y,w,h a line, 0,0,0,0 where absent, 1-based""",
        700,
        "lasot",
        1.0,
        _readers(folders.in_every_folder("*/groundtruth.txt", "imgs")),
    ),
    DatasetKind(
        "dtb70",
        "DTB70",
        _DTB70,
        """ROOT/NAME/img/00001.jpg ...
          groundtruth_rect.txt                x,y,w,h a line, 0,0,0,0 where absent, 1-based""",
        70,
        "otb",
        1.0,
        _readers(folders.in_every_folder("*/groundtruth_rect.txt", "img")),
    ),
    DatasetKind(
        "tcolor128",
        "Temple Color 128",
        _TCOLOR,
        """ROOT/NAME/img/0001.jpg ...
          NAME_gt.txt                         x,y,w,h a line, 1-based
          NAME_frames.txt                     numbers of the first and last picture: 1,148""",
        129,
        "otb",
        1.0,
        _readers(folders.tcolor128),
    ),
    DatasetKind(
        "vot",
        "VOT challenges, short-term and long-term, one target",
        _VOT,
        """ROOT/list.txt, or ROOT/sequences/list.txt     names, the folders beside it
ROOT/NAME/color/00000001.jpg ...              until 2017: ROOT/NAME/00000001.jpg ...
          groundtruth.txt                     x,y,w,h, or x,y of corners, or m and a mask, 0-based; nan where absent
          *.tag                               0 or 1 a line, may be missing""",
        None,
        "otb",
        0.0,
        _readers(vot.vot, vot.read_regions, Labels(attributes=vot.tags)),
    ),
    DatasetKind(
        "folder",
        "Annotated videos of your own",
        "",
        """ROOT/NAME/video.mp4, or 1.jpg ..., or img/1.jpg ...
          groundtruth.txt                     x,y,w,h a line, 0-based; nan where absent""",
        None,
        "otb",
        0.0,
        _plain,
    ),
)

DATASETS = {kind.name: kind for kind in _KINDS}
"""The benchmarks by the names that the command line knows them by."""
