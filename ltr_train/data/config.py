"""What the pairs are made of: shares of the kinds, strengths of motion, clutter and photometric change."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PairConfig(BaseModel):
    """Recipe of ``PairDataset``; probabilities are per pair unless said otherwise."""

    model_config = ConfigDict(extra="forbid")

    pairs: int = Field(1_000_000, ge=1, description="length of the data set")
    split: Literal["train", "val"] = "train"
    holdout: float = Field(0.05, ge=0.0, lt=1.0, description="share of clips and stills kept for the val split")

    video: float = Field(0.30, ge=0.0, description="weight of real clips: two frames of one track")
    cutout: float = Field(0.25, ge=0.0, description="weight of objects cut out by their masks, over other pictures")
    still: float = Field(0.20, ge=0.0, description="weight of annotated stills seen by two cameras")
    patch: float = Field(0.25, ge=0.0, description="weight of arbitrary patches and parts of objects as targets")
    background_only: tuple[str, ...] = Field(
        ("gtea_gaze_plus",), description="sources whose boxes are too loose to be targets"
    )
    video_weights: dict[str, float] = Field(
        {
            "davis16val": 6.0,
            "davis_extra": 1.0,
            "davis_tennis": 0.4,
            "urban_traffic": 1.2,
            "fod_a": 0.9,
            "dlc_mouse": 0.3,
        },
        description="relative weight of a source among clips (1 where not named)",
    )
    still_weights: dict[str, float] = Field(
        {"bsds500": 0.25, "rf_felipe": 0.5, "playing_cards": 0.5, "rf_asl": 0.5, "fod_a": 0.4},
        description="factor on a source's weight (root of its number of items) among stills, cut-outs, pictures",
    )

    absent: float = Field(0.15, ge=0.0, le=1.0, description="search region without the target")
    hidden: float = Field(0.15, ge=0.0, le=1.0, description="of the absent, target wholly behind an occluder")
    absent_same_category: float = Field(0.6, ge=0.0, le=1.0, description="of the absent, objects of its category there")
    distractor: float = Field(0.35, ge=0.0, le=1.0, description="look-alikes in the search region")
    clutter: float = Field(0.4, ge=0.0, le=1.0, description="unrelated objects in a composed scene")
    occluder: float = Field(0.20, ge=0.0, le=1.0, description="search target partly hidden")
    template_occluder: float = Field(0.05, ge=0.0, le=1.0, description="template slightly hidden")
    mean_fill: float = Field(0.25, ge=0.0, le=1.0, description="outside a picture its mean colour, not another picture")

    jitter_near: float = Field(0.6, ge=0.0, le=1.0, description="share of Laplace offsets; the others are uniform")
    jitter_laplace: float = Field(0.06, ge=0.0, description="scale of a Laplace offset, crop sides")
    jitter_uniform: float = Field(0.36, ge=0.0, le=0.42, description="bound of a uniform offset, crop sides")
    jitter_scale: float = Field(0.22, ge=0.0, description="deviation of log crop side")
    motion_aspect: float = Field(0.15, ge=0.0, description="deviation of log scale of each axis of a cut-out")
    motion_rotation: float = Field(8.0, ge=0.0, description="deviation of a masked target's rotation, degrees")
    motion_spin: float = Field(0.15, ge=0.0, le=1.0, description="share of masked targets turned by about 40 degrees")

    redrawn: float = Field(0.25, ge=0.0, le=1.0, description="objects of which a part is boxed, or more, in both views")
    label_noise: float = Field(
        0.06,
        ge=0.0,
        description="annotators' deviation in the search region: of log sides; of the centre half, in sides",
    )

    grey: float = Field(0.08, ge=0.0, le=1.0)
    blur: float = Field(0.20, ge=0.0, le=1.0, description="search blurred, by defocus or by motion")
    low_resolution: float = Field(0.30, ge=0.0, le=1.0)
    jpeg: float = Field(0.25, ge=0.0, le=1.0)
    noise: float = Field(0.15, ge=0.0, le=1.0)
    weather: float = Field(0.08, ge=0.0, le=1.0, description="haze or low light, in one view or both")
    flip: float = Field(0.5, ge=0.0, le=1.0, description="both views mirrored")
