"""Adapters to what others have built; docs/embedding.md shows each at work."""

from ebtrack.adapters.coco import CocoTracks
from ebtrack.adapters.detections import to_supervision
from ebtrack.adapters.initial_boxes import InitialBox, read_initial_boxes
from ebtrack.adapters.mot import mot_rows
from ebtrack.adapters.opencv import OpenCVAdapter

__all__ = ["CocoTracks", "InitialBox", "OpenCVAdapter", "mot_rows", "read_initial_boxes", "to_supervision"]
