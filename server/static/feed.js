// Frames to the server and results back: never more than one on the way, so that nothing can queue up.
export class Feed {
    connection;
    stage;
    /** Called once a frame and its result are shown; latency in milliseconds. */
    onShown = () => undefined;
    limits = null;
    video = null;
    server = null;
    /** Whether a frame of this source was shown. */
    hasPicture = false;
    drawn = document.createElement("canvas");
    stops = new Set();
    toldPause = false;
    number = 0;
    generation = 0;
    flight = null;
    nextDue = 0;
    timer = 0;
    lastJpeg = null;
    received = null;
    owedAck = null;
    constructor(connection, stage) {
        this.connection = connection;
        this.stage = stage;
    }
    /** Frames come from the page. */
    playVideo(video) {
        this.change();
        this.video = video;
        video.onFresh = () => void this.pump();
        this.connection.send({ type: "source", kind: "page" });
    }
    /** Frames come from the server. */
    playServer(source) {
        this.change();
        this.server = source;
        this.connection.send(source);
    }
    /** Tracking stands still while there is a reason. */
    stop(reason, on) {
        if (on)
            this.stops.add(reason);
        else
            this.stops.delete(reason);
        this.video?.hold(this.stops.size > 0);
        this.tellPause();
        if (this.stops.size > 0)
            return;
        if (this.owedAck !== null)
            this.acknowledge(this.owedAck);
        void this.pump();
    }
    get paused() {
        return this.stops.has("paused");
    }
    /** Whether a camera's pictures should come all the time. */
    get awaitsCamera() {
        const camera = this.video?.kind === "camera" || this.server?.kind === "camera";
        return camera && this.hasPicture && this.stops.size === 0 && this.connection.isOpen;
    }
    /** After a drop: the server is sent the frame that is shown, for targets to begin in. */
    restart() {
        this.flight = this.received = this.owedAck = null;
        this.toldPause = false;
        if (this.video && this.lastJpeg)
            this.launch(this.lastJpeg, performance.now());
        else if (this.server)
            this.playServer(this.server);
        this.tellPause();
    }
    frameCame(number, jpeg) {
        this.received = { number, jpeg, generation: this.generation };
    }
    async resultCame(result) {
        const received = this.received;
        if (received?.number === result.frame) {
            this.received = null;
            await this.showServerFrame(received.jpeg, received.generation, result);
            return;
        }
        const flight = this.flight;
        if (flight?.number !== result.frame)
            return;
        this.flight = null;
        if (!flight.stale) {
            this.stage.show(this.drawn);
            this.shown(result, performance.now() - flight.since);
        }
        this.tellPause();
        await this.pump();
    }
    async showServerFrame(jpeg, generation, result) {
        const picture = await createImageBitmap(jpeg);
        if (generation === this.generation) {
            this.stage.show(picture);
            this.shown(result, result.ms);
            if (this.stops.size > 0)
                this.owedAck = result.frame;
            else
                this.acknowledge(result.frame);
        }
        picture.close();
    }
    shown(result, latency) {
        this.hasPicture = true;
        this.onShown(result, latency);
    }
    acknowledge(frame) {
        this.owedAck = null;
        this.connection.send({ type: "ack", frame });
    }
    /** Sends the newest frame if one may be sent. */
    async pump() {
        const { video, limits } = this;
        if (!video?.hasFresh || !limits || this.flight || this.stops.size > 0 || !this.connection.isOpen)
            return;
        const now = performance.now();
        if (now < this.nextDue) {
            clearTimeout(this.timer);
            this.timer = window.setTimeout(() => void this.pump(), this.nextDue - now);
            return;
        }
        const generation = this.generation;
        const flight = { number: -1, since: now, stale: false };
        this.flight = flight;
        this.nextDue = now + 1000 / limits.frames_per_second;
        const jpeg = await video.grab(this.drawn, limits.frame_side, limits.frame_bytes);
        if (this.flight !== flight)
            return; // the connection dropped meanwhile
        this.flight = null;
        if (jpeg && generation === this.generation && this.connection.isOpen)
            this.launch(jpeg, now);
    }
    launch(jpeg, since) {
        this.number = (this.number + 1) >>> 0;
        this.flight = { number: this.number, since, stale: false };
        this.lastJpeg = jpeg;
        this.connection.sendFrame(this.number, since, jpeg);
    }
    /** The server hears of a pause after the frame on its way, so that both hold the same picture. */
    tellPause() {
        const wanted = this.stops.size > 0;
        if (this.flight || wanted === this.toldPause || !this.connection.isOpen)
            return;
        this.toldPause = wanted;
        this.connection.send({ type: "pause", on: wanted });
    }
    change() {
        this.generation += 1;
        this.video?.close();
        this.video = this.server = null;
        this.lastJpeg = this.owedAck = null;
        this.hasPicture = false;
        if (this.flight)
            this.flight.stale = true;
    }
}
