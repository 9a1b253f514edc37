"""OTB: which sequences there are, which frames of them count, and the attributes that its authors give them.

OTB-50 and OTB-100 are those of Wu et al. 2015 (TPAMI); OTB-50 is the harder half of OTB-100.
"""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.files import SequenceFiles

_ATTRIBUTES = {
    "IV": "illumination variation",
    "SV": "scale variation",
    "OCC": "occlusion",
    "DEF": "deformation",
    "MB": "motion blur",
    "FM": "fast motion",
    "IPR": "in-plane rotation",
    "OPR": "out-of-plane rotation",
    "OV": "out of view",
    "BC": "background clutter",
    "LR": "low resolution",
}
# Two targets in one folder bear -1 and -2; Human4-1 has no boxes.
_HARDER = """
Basketball IV OCC DEF OPR BC
Biker SV OCC MB FM OPR OV LR
Bird1 DEF FM OV
BlurBody SV DEF MB FM IPR
BlurCar2 SV MB FM
BlurFace MB FM IPR
BlurOwl SV MB FM IPR
Bolt OCC DEF IPR OPR
Box IV SV OCC MB IPR OPR OV BC LR
Car1 IV SV MB FM BC LR
Car4 IV SV
CarDark IV BC
CarScale SV OCC FM IPR OPR
ClifBar SV OCC MB FM IPR OV BC
Couple SV DEF FM OPR BC
Crowds IV DEF BC
David IV SV OCC DEF MB IPR OPR
Deer MB FM IPR BC LR
Diving SV DEF IPR
DragonBaby SV OCC MB FM IPR OPR OV
Dudek SV OCC DEF FM IPR OPR OV BC
Football OCC IPR OPR BC
Freeman4 SV OCC IPR OPR
Girl SV OCC IPR OPR
Human3 SV OCC DEF OPR BC
Human4-2 IV SV OCC DEF
Human6 SV OCC DEF FM OPR OV
Human9 IV SV DEF MB FM
Ironman IV SV OCC MB FM IPR OPR OV BC LR
Jump SV OCC DEF MB FM IPR OPR
Jumping MB FM
Liquor IV SV OCC MB FM OPR OV BC
Matrix IV SV OCC FM IPR OPR BC
MotorRolling IV SV MB FM IPR BC LR
Panda SV OCC DEF IPR OPR OV LR
RedTeam SV OCC IPR OPR LR
Shaking IV SV IPR OPR BC
Singer2 IV DEF IPR OPR BC
Skating1 IV SV OCC DEF OPR BC
Skating2-1 SV OCC DEF FM OPR
Skating2-2 SV OCC DEF FM OPR
Skiing IV SV DEF IPR OPR
Soccer IV SV OCC MB FM IPR OPR BC
Surfer SV FM IPR OPR LR
Sylvester IV IPR OPR
Tiger2 IV OCC DEF MB FM IPR OPR OV
Trellis IV SV IPR OPR BC
Walking SV OCC DEF
Walking2 SV OCC LR
Woman IV SV OCC DEF MB FM OPR
"""
_OTHERS = """
Bird2 OCC DEF FM IPR OPR
BlurCar1 MB FM
BlurCar3 MB FM
BlurCar4 MB FM
Board SV MB FM OPR OV BC
Bolt2 DEF BC
Boy SV MB FM IPR OPR
Car2 IV SV MB FM BC
Car24 IV SV BC
Coke IV OCC FM IPR OPR BC
Coupon OCC BC
Crossing SV DEF FM OPR BC
Dancer SV DEF IPR OPR
Dancer2 DEF
David2 IPR OPR
David3 OCC DEF OPR BC
Dog SV DEF OPR
Dog1 SV IPR OPR
Doll IV SV OCC IPR OPR
FaceOcc1 OCC
FaceOcc2 IV OCC IPR OPR
Fish IV
FleetFace SV DEF MB FM IPR OPR
Football1 IPR OPR BC
Freeman1 SV IPR OPR
Freeman3 SV IPR OPR
Girl2 SV OCC DEF MB OPR
Gym SV DEF IPR OPR
Human2 IV SV MB OPR
Human5 SV OCC DEF
Human7 IV SV OCC DEF MB FM
Human8 IV SV DEF
Jogging-1 OCC DEF OPR
Jogging-2 OCC DEF OPR
KiteSurf IV OCC IPR OPR
Lemming IV SV OCC FM OPR OV
Man IV
Mhyang IV DEF OPR BC
MountainBike IPR OPR BC
Rubik SV OCC IPR OPR
Singer1 IV SV OCC OPR
Skater SV DEF IPR OPR
Skater2 SV DEF FM IPR OPR
Subway OCC DEF BC
Suv OCC IPR OV
Tiger1 IV OCC DEF MB FM IPR OPR
Toy SV FM IPR OPR
Trans IV SV OCC DEF
Twinnings SV OPR
Vase SV FM IPR
"""
_NUMBERS = {"David": (300, 770), "Football1": (1, 74), "Freeman3": (1, 460), "Freeman4": (1, 283), "Diving": (1, 215)}
"""First and last annotated picture, where there are more. The pictures of BlurCar1, 3 and 4 begin at 247, 3 and 18."""
_SKIPPED = {"Tiger1": 5}
"""Frames at the beginning that published results do not hold."""


def _table(text: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {row[0]: tuple(_ATTRIBUTES[code] for code in row[1:]) for row in rows}


OTB50 = _table(_HARDER)
OTB100 = dict(sorted((OTB50 | _table(_OTHERS)).items()))


def otb50(root: Path) -> list[SequenceFiles]:
    """Files of the 50 sequences of OTB-50."""
    return [_files(root, name) for name in OTB50]


def otb100(root: Path) -> list[SequenceFiles]:
    """Files of the 100 sequences of OTB-100."""
    return [_files(root, name) for name in OTB100]


def attributes(files: SequenceFiles) -> tuple[str, ...]:
    """Of a sequence, as listed on the benchmark's pages."""
    return OTB100[files.name]


def _files(root: Path, name: str) -> SequenceFiles:
    folder, _, target = name.partition("-")
    annotation = root / folder / (f"groundtruth_rect.{target}.txt" if target else "groundtruth_rect.txt")
    return SequenceFiles(name, annotation, root / folder / "img", _NUMBERS.get(name), _SKIPPED.get(name, 0))
