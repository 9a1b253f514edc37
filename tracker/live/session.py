"""Live tracking in a window: the newest frame, its tracks, and what the user wants done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tracker.display import KEY_ESCAPE
from tracker.drawing import draw_tracks
from tracker.frames import Box
from tracker.interrupt import CtrlC
from tracker.live.meter import Meter
from tracker.live.mouse import Mouse, box_at
from tracker.live.overlay import Overlay, draw_live, window_scale
from tracker.live.recorder import Recorder
from tracker.live.screen import Screen
from tracker.live.source import LiveFrame, LiveSource
from tracker.live.targets import LiveTracker, Targets
from tracker.sinks import OutputError
from tracker.track import Track

FRAME_WAIT_S = 0.03
"""Longest wait for a frame before mouse and keys are heard again."""
PAUSE_POLL_MS = 30
MESSAGE_S = 4.0
SILENCE_S = 1.0
"""Seconds without a frame from which the user is told."""
KEYS_REMOVE = (ord("x"), 8, 127)
KEYS_QUIT = (ord("q"), KEY_ESCAPE)


@dataclass(frozen=True)
class Shown:
    """A frame and its tracks, as they are shown."""

    frame: LiveFrame
    tracks: list[Track]
    ids: list[int]


@dataclass(frozen=True)
class LiveSummary:
    """What a live session was."""

    results: int
    """Frames in which there was something to track."""
    dropped: int
    """Frames that a newer one replaced before they were tracked."""
    latency: tuple[float, float] | None
    """Median and 95th percentile of the seconds from capture to result, over the last 1000; None before two."""
    folders: list[Path]
    """Of the recordings."""
    snapshots: list[Path]
    problems: list[str]
    """Why the source ended, where that was no usual end, and what went wrong in recordings."""
    interrupted: bool
    """By Ctrl-C."""


class LiveSession:
    """Tracks what the user draws, until the user quits or the source ends.

    While a box is being drawn the picture stands still; tracking goes on. A new target begins in the frame in which it
    was drawn, and is looked for in all of the next one where it has moved away meanwhile.

    Args:
        source: open.
        tracker: of all targets.
        screen: where the picture is shown.
        out: folder for recordings and snapshots; it is made when the first is.
    """

    def __init__(self, source: LiveSource, tracker: LiveTracker, screen: Screen, out: Path) -> None:
        self.targets = Targets(tracker)
        self.meter = Meter()
        self.recorder = Recorder(out, source, tracker)
        self.shown: Shown | None = None
        """The frame on the screen."""
        self.paused = False
        self._source = source
        self._clock = source.clock
        self._screen = screen
        self._mouse = Mouse(self._freeze, self._add, self._choose)
        self._newest: Shown | None = None
        self._frozen = False
        self._chosen: int | None = None
        self._message, self._message_until = "", 0.0
        self._present: dict[int, bool] = {}
        self._snapshots: list[Path] = []
        self._problems: list[str] = []

    def run(self) -> LiveSummary:
        """Goes on until the user quits or the source ends; recordings are complete then."""
        interrupted = False
        self._screen.listen(self._mouse.event)
        with CtrlC() as ctrl_c:
            try:
                while True:
                    frame = None if self.paused else self._source.newest(FRAME_WAIT_S)
                    if frame is not None:
                        tracks = self._track(frame)
                        with ctrl_c.held():
                            self._record(frame, tracks)
                    elif self._source.state == "ended" and not self.paused:
                        break
                    self._show()
                    key = self._screen.key(PAUSE_POLL_MS if self.paused else 1)
                    if key in KEYS_QUIT or not self._screen.is_open():
                        break
                    self._press(key)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                ctrl_c.ignore()
                self._problems += self.recorder.close()
        if self._source.problem:
            self._problems.append(self._source.problem)
        return LiveSummary(
            results=self.meter.results,
            dropped=self._source.dropped,
            latency=self.meter.summary(),
            folders=self.recorder.folders,
            snapshots=self._snapshots,
            problems=list(dict.fromkeys(self._problems)),
            interrupted=interrupted,
        )

    def _track(self, frame: LiveFrame) -> list[Track]:
        if self._newest is not None and frame.connection != self._newest.frame.connection:
            self.targets.search()
            self.meter.restart()
            self._say("connected again: looking for the targets in the whole picture")
        tracks = self.targets.update(frame.image)
        if tracks:
            self.meter.add(self._clock.now(), frame.captured)
        self._tell_changes(tracks)
        self._newest = Shown(frame, tracks, list(self.targets.ids))
        return tracks

    def _tell_changes(self, tracks: list[Track]) -> None:
        """Says which targets were lost and found with this frame."""
        present = {target: track.presence >= 0.5 for target, track in zip(self.targets.ids, tracks, strict=True)}
        lost, found = (
            [str(target) for target in present if (self._present.get(target), present[target]) == change]
            for change in ((True, False), (False, True))
        )
        said = [
            f"target {', '.join(names)} {what}" for names, what in ((lost, "lost"), (found, "found again")) if names
        ]
        if said:
            self._say("; ".join(said))
        self._present = present

    def _record(self, frame: LiveFrame, tracks: list[Track]) -> None:
        if self.recorder.on and tracks:
            try:
                self.recorder.write(frame, self.targets.ids, tracks)
            except OutputError as error:
                self._fail(str(error))
        for failure in self.recorder.failures():
            self._fail(failure)

    def _show(self) -> None:
        if self._newest is None:
            return
        if self.shown is None or not self._frozen:
            self.shown = self._newest
        shown = self.shown
        picture = draw_live(shown.frame.image, shown.tracks, self._overlay(shown))
        self._mouse.resize((picture.shape[1], picture.shape[0]), window_scale(shown.frame.image))
        self._screen.show(picture)

    def _overlay(self, shown: Shown) -> Overlay:
        return Overlay(
            message=self.line,
            fps=self.meter.fps,
            latency=self.meter.latency,
            drag=self._mouse.drag,
            chosen=shown.ids.index(self._chosen) if self._chosen in shown.ids else None,
            recording=self.recorder.on,
            numbers=shown.ids,
        )

    @property
    def line(self) -> str:
        """What the user has to know first; nothing while all goes as it should."""
        now = self._clock.now()
        if self.paused:
            return "paused: space goes on"
        if self._source.state == "reconnecting":
            return f"trying to connect again: {self._source.problem}"
        if self._newest and now - self._newest.frame.captured > SILENCE_S:
            return f"no new frame for {now - self._newest.frame.captured:.0f} s"
        return self._message if now < self._message_until else ""

    def _say(self, message: str) -> None:
        self._message, self._message_until = message, self._clock.now() + MESSAGE_S

    def _fail(self, problem: str) -> None:
        self._problems.append(problem)
        self._say(problem)

    def _press(self, key: int) -> None:
        if key == ord(" "):
            self._pause()
        elif key == ord("r"):
            self._reset()
        elif key in KEYS_REMOVE:
            self._remove()
        elif key == ord("v"):
            self._switch_recording()
        elif key == ord("s"):
            self._snapshot()

    def _pause(self) -> None:
        self.paused = not self.paused
        if not self.paused:
            self.targets.search()
            self.meter.restart()

    def _reset(self) -> None:
        self.targets.reset()
        self._targets_changed()
        self._say("all targets removed: draw a box")

    def _remove(self) -> None:
        ids = self.targets.ids
        if ids:
            self.targets.remove(self._chosen if self._chosen in ids else ids[-1])
            self._targets_changed()

    def _targets_changed(self) -> None:
        """Shows the targets as they are now, and ends a recording that has none left."""
        if self._newest:
            self._newest = Shown(self._newest.frame, self.targets.tracks, list(self.targets.ids))
        if not self.targets.ids:
            self.recorder.end()

    def _switch_recording(self) -> None:
        if self.recorder.on:
            self.recorder.end()
            self._say(f"recorded: {self.recorder.folders[-1]}" if self.recorder.folders else "nothing was recorded")
        elif not self.targets.ids:
            self._say("nothing to record yet: draw a box first")
        else:
            self.recorder.on = True

    def _snapshot(self) -> None:
        shown = self.shown
        if shown is None:
            return
        try:
            path = self.recorder.snapshot(draw_tracks(shown.frame.image, shown.tracks, numbers=shown.ids))
        except OutputError as error:
            self._fail(str(error))
        else:
            self._snapshots.append(path)
            self._say(f"snapshot: {path}")

    def _freeze(self) -> None:
        self._frozen = True

    def _add(self, box: Box) -> None:
        self._frozen = False
        if self.shown is None:
            return
        try:
            self.targets.add(self.shown.frame.image, box)
        except ValueError as error:
            self._say(str(error))
        else:
            self._targets_changed()

    def _choose(self, point: tuple[float, float]) -> None:
        self._frozen = False
        if self.shown is None:
            return
        at = box_at(point, [track.box for track in self.shown.tracks])
        self._chosen = self.shown.ids[at] if at is not None else None
