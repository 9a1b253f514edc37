"""The page in a real browser: an installed Chromium whose camera is the bundled clip."""

import csv
import os
import shutil
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

pytest.importorskip("fastapi", reason='the browser test needs pip install "ebtrack[serve,browser]"')
pytest.importorskip("uvicorn", reason='the browser test needs pip install "ebtrack[serve,browser]"')
pytest.importorskip("websockets", reason='the browser test needs pip install "ebtrack[serve,browser]"')
pytest.importorskip("playwright.sync_api", reason='the browser test needs pip install "ebtrack[serve,browser]"')

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

import ebtrack
from ebtrack.clip import HEIGHT, WIDTH, read_truth
from evaluation.metrics import box_iou
from server.app import Settings, create_app
from server.limits import Limits
from server.run import Address, configured
from server.sources import Cameras
from tests.browser.barcode import CENTRES, read_number, write_camera
from tracker.live import LiveFrame

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt install chromium)")

CAMERA_FPS = 12
"""No faster than the tracker is on a busy machine: then 100 shown frames reach to where the clip's target is hidden."""
PATIENCE_MS = 60_000
LATE = 20
"""Frames that may pass before a button works."""

# Keeps what was shown: the levels of the picture's bars, and what the page was told of its targets.
KEEP_SHOWN = """
window.shown = [];
addEventListener("shown", (event) => {
  const pen = document.getElementById("picture").getContext("2d");
  shown.push({
    size: [pen.canvas.width, pen.canvas.height],
    levels: CENTRES.map(([x, y]) => pen.getImageData(x, y, 1, 1).data[1]),
    targets: event.detail.targets.map(({ box, presence }) => ({ box, presence })),
    said: document.getElementById("urgent").textContent,
  });
});
""".replace("CENTRES", str([list(centre) for centre in CENTRES]))


class MachineCamera:
    """A camera of the server's: a grey picture 20 times a second, but for when it is made to stand still."""

    state, problem = "live", None
    still = threading.Event()

    def __init__(self, location: str) -> None:
        self._count = count()

    def newest(self, timeout: float) -> LiveFrame | None:
        time.sleep(timeout if self.still.is_set() else 0.05)
        if self.still.is_set():
            return None
        return LiveFrame(next(self._count), np.full((120, 160, 3), 90, np.uint8), time.monotonic(), 0)

    def __enter__(self) -> "MachineCamera":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server's address; it takes two visitors, and has a camera."""
    settings, at = Settings(limits=Limits(visitors=2)), Address(port=0)
    opener: Any = MachineCamera
    with at.listen() as bound:
        app = create_app(ebtrack.load(device="cpu"), settings, Cameras((0,), opener))
        server = uvicorn.Server(configured(app, settings, at))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield f"http://localhost:{bound.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    camera = tmp_path_factory.mktemp("camera") / "clip.y4m"
    write_camera(camera, CAMERA_FPS)
    options = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium has none for root
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


def visit(
    browser: Browser, address: str, width: int = 1280, height: int = 800, source: str = "#choose-camera"
) -> tuple[Page, list[str]]:
    """The page, watching a camera, and a list that fills with what goes wrong in it."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    here = (address, address.replace("http", "ws", 1), "blob:")
    page.on("request", lambda made: None if made.url.startswith(here) else wrong.append(made.url))
    page.add_init_script(KEEP_SHOWN)
    page.goto(address)
    page.click(source)
    wait_for(page, "shown.length > 0")
    return page, wrong


def wait_for(page: Page, condition: str) -> None:
    """Until this holds in the page, whose security policy keeps Playwright's own waiting out."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"in vain: {condition}"
        page.wait_for_timeout(20)


def shown_number(page: Page) -> int | None:
    """The clip's frame that the page shows."""
    return read_number(page.evaluate("shown.at(-1).levels"))


def wait_for_number(page: Page, low: int, high: int) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while (number := shown_number(page)) is None or not low <= number <= high:
        assert time.monotonic() < end, f"no frame {low} to {high} was shown"
        page.wait_for_timeout(20)


def drag_box(page: Page, truth: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Drags the target's box with the mouse; the picture stands still from the press on."""
    area = page.locator("#overlay").bounding_box()
    number = shown_number(page)
    assert area is not None
    assert number is not None
    scale = area["width"] / WIDTH
    x, y, *_ = truth[number]
    page.mouse.move(area["x"] + x * scale, area["y"] + y * scale)
    page.mouse.down()
    page.wait_for_timeout(500)
    number = shown_number(page)
    assert number is not None
    x, y, w, h = truth[number]
    page.mouse.move(area["x"] + (x + w) * scale, area["y"] + (y + h) * scale, steps=4)
    page.mouse.up()


def test_the_camera_is_tracked_and_the_download_holds_what_was_shown(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    truth = read_truth()
    page, wrong = visit(browser, address)
    assert page.evaluate("shown.at(-1).size") == [WIDTH, HEIGHT]
    wait_for_number(page, 2, 30)
    drag_box(page, truth)
    page.wait_for_selector("#targets li")
    page.click("#record")
    page.evaluate("shown.length = 0")
    wait_for(page, "shown.filter((one) => one.targets.length).length >= 100")
    wait_for_number(page, 122, 140)  # past what hides the target
    page.click("#record")
    page.wait_for_selector("#files a")

    shown = [one for one in page.evaluate("shown") if one["targets"]]
    numbers = [read_number(one["levels"]) for one in shown]
    read = [(number, one) for number, one in zip(numbers, shown, strict=True) if number is not None]
    assert len(read) > 0.9 * len(shown)
    first = read[:100]
    boxes = np.array([one["targets"][0]["box"] for _, one in first])
    overlap = np.nanmean(box_iou(boxes, truth[[number for number, _ in first]]))
    presence = np.array([one["targets"][0]["presence"] for _, one in read])
    hidden = np.isnan(truth[[number for number, _ in read], 0])
    print(f"mean IoU {overlap:.3f} over {len(first)} shown frames; ", end="")
    print(f"mean presence {presence[~hidden].mean():.2f} in view, {presence[hidden].mean():.2f} hidden")
    assert overlap >= 0.6
    assert presence[hidden].min() < 0.5 < np.median(presence[~hidden])
    assert any("Target 1 is lost." in one["said"] for one in shown)

    files = {}
    for name in ("annotated.mp4", "boxes.csv", "tracks.mot.txt"):
        with page.expect_download() as download:
            page.click(f'#files a[download="{name}"]')
        files[name] = tmp_path / name
        download.value.save_as(files[name])
    with files["boxes.csv"].open() as table:
        recorded = [tuple(float(row[key]) for key in (*"xywh", "presence")) for row in csv.DictReader(table)]
    told = [(*one["targets"][0]["box"], one["targets"][0]["presence"]) for one in shown]
    # Frames are shown until a button that was pressed has reached the server: few, unless the machine is busy.
    begin = next(at for at in range(LATE) if told[at] == pytest.approx(recorded[0], abs=1e-3))
    assert len(recorded) >= 90
    assert len(shown) - begin - len(recorded) in range(LATE)
    assert np.allclose(recorded, told[begin : begin + len(recorded)], atol=1e-3)
    assert len(files["tracks.mot.txt"].read_text().splitlines()) == len(recorded)
    with av.open(str(files["annotated.mp4"])) as video:
        pictures = [frame.to_ndarray(format="gray") for frame in video.decode(video=0)]
    assert len(pictures) == len(recorded)
    filmed = [read_number([float(picture[y, x]) for x, y in CENTRES]) for picture in pictures]
    assert filmed == numbers[begin : begin + len(recorded)]
    assert wrong == []
    page.close()


def test_a_camera_that_stands_still_is_told_and_no_recording_is_lost(browser: Browser, address: str) -> None:
    page, wrong = visit(browser, address, source="#choose-machine")
    page.click("#record")
    MachineCamera.still.set()
    try:
        wait_for(page, "document.getElementById('notice-text').textContent.startsWith('No new picture')")
    finally:
        MachineCamera.still.clear()
    page.wait_for_selector("#notice", state="hidden")
    page.click("#record")
    page.wait_for_selector("#files h3")
    page.click("#record")
    wait_for(page, "document.getElementById('record').classList.contains('recording')")
    page.click("#change-source")
    page.click("#choose-camera")  # another source ends the second one
    wait_for(page, "document.querySelectorAll('#files h3').length === 2")
    assert page.inner_text("#record").strip() == "Record"
    for link in page.query_selector_all("#files a[download='boxes.csv']"):
        assert page.request.get(f"{address.rstrip('/')}{link.get_attribute('href')}").ok
    assert wrong == []
    page.close()


def test_a_phone_s_width_the_keyboard_and_a_full_server(browser: Browser, address: str) -> None:
    page, wrong = visit(browser, address, 360, 740)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.focus("#overlay")
    for key in ("Enter", "ArrowLeft", "Shift+ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert page.inner_text("#polite").startswith("Box at")
    count = page.evaluate("shown.length")
    page.wait_for_timeout(500)
    assert page.evaluate("shown.length") <= count + 1  # the picture stands still
    page.keyboard.press("Enter")
    page.wait_for_selector("#targets li")
    wait_for(page, "shown.at(-1).targets.length === 1")
    page.click("[aria-label='Remove target 1']")
    wait_for(page, "shown.at(-1).targets.length === 0")

    second, _ = visit(browser, address)
    third = browser.new_page()
    third.goto(address)
    third.wait_for_selector("#notice:not([hidden])")
    assert "try again" in third.inner_text("#notice")
    assert third.is_disabled("#choose-camera")
    second.close()
    third.wait_for_timeout(500)
    third.click("#notice-action")
    third.wait_for_selector("#choose-camera:not([disabled])")
    assert wrong == []
    for left in (page, third):
        left.close()
