"""What a run leaves behind: boxes, the annotated video, the summary picture, the record of the run."""

from tracker.sinks.folder import OutputError, OutputFolder
from tracker.sinks.recording import Recording

__all__ = ["OutputError", "OutputFolder", "Recording"]
