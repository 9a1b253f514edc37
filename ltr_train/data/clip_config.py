"""What rendered clips are like."""

from pydantic import Field

from ltr_train.data.photometric import NOISE_SIDE
from networks.config import StrictModel


class RenderConfig(StrictModel):
    """Rendered clips; shares are of clips. Light, blur, noise and compression are those of the pairs, but milder."""

    clips: int = Field(48, ge=0)
    frames: int = Field(80, ge=16)
    """Of each clip."""
    width: int = Field(384, ge=64, le=NOISE_SIDE)
    """Of the frames, px."""
    height: int = Field(288, ge=64, le=NOISE_SIDE)
    """Of the frames, px."""
    leaving: float = Field(0.5, ge=0, le=1)
    """Target out of the frame, or wholly behind an occluder, for a while; exactly this share, spread evenly."""
    elsewhere: bool = False
    """Targets that leave go out of the frame, pass around it unseen, and return from elsewhere."""
    patch: float = Field(0.2, ge=0, le=1)
    """Target a soft patch or a part of an object, not an object; where nothing is annotated, all are."""
    look_alikes: float = Field(0.6, ge=0, le=1)
    """One to three objects of the target's category, or changed copies of it, on ways of their own."""
    clutter: float = Field(0.5, ge=0, le=1)
    """One to three other objects behind the target."""
    occluders: float = Field(0.4, ge=0, le=1)
    """Something small that the target passes behind."""
    speed: float = Field(0.4, gt=0, le=1)
    """The most that the target's middle moves from one frame to the next, in units of sqrt(w * h)."""
    shutter: float = Field(0.5, ge=0, le=1)
    """The longest that the shutter is open, in frames."""
