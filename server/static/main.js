// The page: puts its parts together.
import { Chart } from "./charts.js";
import { Chooser, element } from "./chooser.js";
import { Connection, sentence } from "./connection.js";
import { Feed } from "./feed.js";
import { TargetList } from "./list.js";
import { Notices } from "./notices.js";
import { Recorder } from "./recorder.js";
import { Selector } from "./selector.js";
import { Stage } from "./stage.js";
import { Targets } from "./targets.js";
import { installTheme } from "./theme.js";
import { UploadError, upload } from "./upload.js";
import { PageVideo, VideoError } from "./video.js";
const RATE_OVER_MS = 2000;
const RATE_EVERY_MS = 500;
/** Times that the rate is 0 before that is said: after a pause the first picture takes a moment. */
const SILENT_TIMES = 3;
const SILENT = "No new picture is coming. It goes on by itself once the camera and the server do.";
class Page {
    targets = new Targets();
    stage = new Stage(element("stage"), element("picture"), element("overlay"), this.targets);
    notices = new Notices(element("banner"), element("urgent"), element("polite"), element("notice"), element("notice-text"), element("notice-action"));
    connection = new Connection({
        state: (state) => this.connectionChanged(state),
        welcome: (welcome) => this.welcomed(welcome),
        message: (message) => this.heard(message),
        frame: (number, jpeg) => this.feed.frameCame(number, jpeg),
    });
    feed = new Feed(this.connection, this.stage);
    list = new TargetList(element("targets"), element("targets-empty"), {
        remove: (id) => this.remove(id),
        energy: (id, on) => this.chooseEnergy(on ? id : null),
    });
    charts = [
        new Chart(element("presence-chart"), (m) => 100 * m.presence, 100, (v) => `${v} %`),
        new Chart(element("spread-chart"), (m) => m.spread, null, (v) => `${v} px`),
    ];
    recorder = new Recorder(element("record"), element("record-label"), element("files"), element("files-empty"));
    chooser = new Chooser((choice) => void this.choose(choice), () => this.showStage());
    selector = new Selector(this.stage, {
        ready: () => this.mayDraw(),
        begin: (byKeyboard) => this.drawingBegins(byKeyboard),
        moved: ([x, y, w, h]) => this.notices.aloud(`Box at ${[x, y].map(Math.round).join(", ")}, ${Math.round(w)} by ${Math.round(h)}`),
        end: (box) => this.drawingEnds(box),
    });
    /** Boxes sent whose numbers have not come yet, in their order. */
    adding = [];
    energy = null;
    shownAt = [];
    silentTimes = 0;
    /** Clock of the charts: it stands still with the picture. */
    time = 0;
    constructor() {
        installTheme(element("theme"));
        this.feed.onShown = (result, latency) => this.shown(result, latency);
        element("pause").addEventListener("click", () => this.pause(!this.feed.paused));
        element("reset").addEventListener("click", () => this.reset());
        element("record").addEventListener("click", () => this.record(!this.recorder.on));
        element("change-source").addEventListener("click", () => this.showChooser());
        element("notice-close").addEventListener("click", () => this.notices.clear());
        document.addEventListener("visibilitychange", () => this.feed.stop("hidden", document.hidden));
        new ResizeObserver(() => this.drawPanel()).observe(element("presence-chart"));
        window.setInterval(() => this.drawRate(), RATE_EVERY_MS);
        this.showChooser();
        this.drawPanel();
        this.connection.open();
    }
    connectionChanged(state) {
        const texts = { connecting: "Connecting", open: "Connected", waiting: "Offline", ended: "Offline" };
        element("connection").dataset["kind"] = state.kind;
        element("connection-text").textContent = texts[state.kind];
        this.chooser.enable(state.kind === "open");
        this.enableTools();
        const again = { text: "Try now", run: () => this.connection.open() };
        if (state.kind === "open")
            this.notices.clear();
        if (state.kind === "waiting") {
            this.selector.cancel();
            const seconds = Math.max(1, Math.round(state.seconds));
            this.notices.say(`${state.reason} Next try in ${seconds} s.`, "warning", again);
        }
        if (state.kind === "ended")
            this.notices.say(state.reason, "warning", { ...again, text: "Connect again" });
    }
    /** Also after a drop: what was tracked goes on in the picture that is shown. */
    welcomed({ limits, cameras }) {
        this.feed.limits = limits;
        this.chooser.setCameras(cameras);
        if (this.recorder.on) {
            this.recorder.end();
            this.notices.say("The recording ended when the connection dropped.", "warning");
        }
        const present = this.targets.all.filter((target) => target.result?.present ?? true);
        const { video, server } = this.feed;
        this.clearTargets();
        if (server?.kind === "upload") {
            this.showChooser();
            this.chooser.fail("The connection dropped, and the server lets uploads go then. Upload the video again.");
            return;
        }
        this.feed.restart();
        if (video && this.feed.hasPicture)
            present.forEach((target) => this.add(target.box));
        this.enableTools();
    }
    heard(message) {
        if (message.type === "result")
            void this.feed.resultCame(message);
        else if (message.type === "added")
            this.added(message.target);
        else if (message.type === "recorded")
            this.recorded(message.files);
        else if (message.type === "error") {
            if (message.to === "add")
                this.adding.shift();
            if (message.to === "record")
                this.recorder.end();
            this.notices.say(sentence(message.message), "warning");
        }
    }
    async choose(choice) {
        this.chooser.fail("");
        this.chooser.enable(false);
        try {
            if (choice.kind === "camera" || choice.kind === "file") {
                const video = choice.kind === "camera" ? await PageVideo.camera() : await PageVideo.file(choice.file);
                video.onEnd = () => this.videoEnded(video);
                this.begin(video.name, () => this.feed.playVideo(video));
            }
            else if (choice.kind === "upload") {
                const most = this.feed.limits?.upload_bytes ?? 0;
                const id = await upload(choice.file, most, (share) => this.progress(share));
                this.begin(choice.file.name, () => this.feed.playServer({ type: "source", kind: "upload", id }));
            }
            else {
                const { index } = choice;
                this.begin(`camera ${index} of the server`, () => this.feed.playServer({ type: "source", kind: "camera", index }));
            }
        }
        catch (error) {
            if (!(error instanceof VideoError || error instanceof UploadError))
                throw error;
            this.chooser.fail(error.message);
        }
        finally {
            this.progress(null);
            this.chooser.enable(this.connection.isOpen);
        }
    }
    begin(name, play) {
        this.clearTargets();
        this.notices.clear();
        element("source-name").textContent = name;
        this.pause(false);
        play();
        this.showStage();
    }
    progress(share) {
        element("upload-progress").hidden = share === null;
        element("upload-bar").value = share ?? 0;
    }
    videoEnded(video) {
        if (video !== this.feed.video)
            return;
        if (video.kind === "camera") {
            this.notices.say("The camera gives no more pictures. Choose it again, or another source.", "warning");
            return;
        }
        const again = async () => {
            this.notices.clear();
            this.feed.stop("paused", true); // after a pause targets are looked for everywhere
            await video.rewind();
            this.pause(false);
        };
        this.notices.say("The video is over.", "info", { text: "Play again", run: () => void again() });
    }
    shown(result, latency) {
        const now = performance.now();
        const last = this.shownAt.at(-1) ?? now;
        this.time += Math.min(now - last, 1000) / 1000;
        this.shownAt.push(now);
        this.targets.update(result, this.time);
        this.stage.energy = this.energy !== null && result.energy?.target === this.energy ? result.energy : null;
        this.stage.redraw();
        this.drawPanel();
        this.notices.targets(this.targets.all);
        element("latency").textContent = latency.toFixed(0);
        element("hint").hidden = this.targets.all.length > 0 || this.adding.length > 0;
        this.enableTools();
        // For whoever embeds or tests the page.
        this.stage.overlay.dispatchEvent(new CustomEvent("shown", { detail: result, bubbles: true }));
    }
    drawRate() {
        const now = performance.now();
        this.shownAt = this.shownAt.filter((at) => at > now - RATE_OVER_MS);
        const [first, last] = [this.shownAt[0] ?? 0, this.shownAt.at(-1) ?? 0];
        const rate = last > first ? (1000 * (this.shownAt.length - 1)) / (last - first) : 0;
        element("rate").textContent = rate.toFixed(0);
        this.silentTimes = this.feed.awaitsCamera && this.shownAt.length === 0 ? this.silentTimes + 1 : 0;
        if (this.silentTimes === 0)
            this.notices.clear(SILENT);
        else if (this.silentTimes >= SILENT_TIMES && this.notices.free)
            this.notices.say(SILENT, "warning");
    }
    mayDraw() {
        if (!this.connection.isOpen || !this.feed.hasPicture)
            return false;
        const most = this.feed.limits?.targets ?? 0;
        if (this.targets.all.length < most)
            return true;
        this.notices.say(`${most} targets are tracked, as many as the server takes. Remove one first.`, "warning");
        return false;
    }
    drawingBegins(byKeyboard) {
        this.feed.stop("drawing", true);
        if (byKeyboard)
            this.notices.aloud("A box in the middle. Arrows move it, Shift and arrows size it, Enter adds it, Escape gives it up.");
    }
    drawingEnds(box) {
        if (box)
            this.add(box);
        this.feed.stop("drawing", false);
    }
    add(box) {
        this.adding.push(box);
        this.connection.send({ type: "add", box });
    }
    added(id) {
        const box = this.adding.shift();
        if (!box)
            return;
        this.targets.add(id, box);
        this.notices.aloud(`Target ${id} added.`);
        this.redraw();
    }
    remove(id) {
        this.connection.send({ type: "remove", target: id });
        if (this.energy === id)
            this.chooseEnergy(null);
        this.targets.remove(id);
        this.notices.hideBanner();
        this.notices.aloud(`Target ${id} removed.`);
        this.redraw();
    }
    reset() {
        this.connection.send({ type: "reset" });
        if (this.energy !== null)
            this.chooseEnergy(null);
        this.clearTargets();
        this.notices.aloud("All targets removed.");
    }
    clearTargets() {
        this.adding.length = 0;
        this.energy = this.stage.energy = null;
        this.targets.clear();
        this.notices.hideBanner();
        this.redraw();
    }
    chooseEnergy(target) {
        this.energy = target;
        this.connection.send({ type: "energy", target });
        if (target === null)
            this.stage.energy = null;
        this.redraw();
    }
    pause(on) {
        this.feed.stop("paused", on);
        element("pause").setAttribute("aria-pressed", String(on));
        element("pause-label").textContent = on ? "Resume" : "Pause";
    }
    record(on) {
        this.connection.send({ type: "record", on });
        if (on)
            this.recorder.begin();
        else
            this.recorder.end();
    }
    recorded(files) {
        this.recorder.offer(files, this.feed.limits?.recordings ?? 1);
        this.notices.aloud("The recording is ready for download.");
    }
    redraw() {
        this.stage.redraw();
        this.drawPanel();
        this.notices.targets(this.targets.all.map((target) => ({ ...target, result: quiet(target.result) })));
        this.enableTools();
    }
    drawPanel() {
        this.list.draw(this.targets.all, this.energy);
        for (const chart of this.charts)
            chart.draw(this.targets.all, this.time);
        element("energy-legend").hidden = this.energy === null;
    }
    enableTools() {
        const on = this.connection.isOpen && this.feed.hasPicture;
        element("pause").disabled = !on;
        element("record").disabled = !on;
        element("reset").disabled = !on || this.targets.all.length === 0;
    }
    showChooser() {
        const watching = this.feed.video !== null || this.feed.server !== null;
        this.chooser.show(watching);
        element("stage").hidden = true;
        element("panel").hidden = !watching;
    }
    showStage() {
        this.chooser.hide();
        element("stage").hidden = element("panel").hidden = false;
        this.stage.overlay.focus({ preventScroll: true }); // what had it is hidden now
        this.stage.redraw();
    }
}
/** A result whose event was told before. */
function quiet(result) {
    return result && { ...result, event: null };
}
new Page();
