// A video that plays in the page, the visitor's camera or a file, and its newest frame as JPEG.
const PREFERRED_SIDE = 960;
const QUALITY = 0.85;
export class VideoError extends Error {
}
export class PageVideo {
    kind;
    name;
    element;
    release;
    /** Called when a frame has come that was not grabbed yet. */
    onFresh = () => undefined;
    /** Called when a file has played to its end, or the camera went away. */
    onEnd = () => undefined;
    fresh = false;
    closed = false;
    constructor(kind, name, element, release) {
        this.kind = kind;
        this.name = name;
        this.element = element;
        this.release = release;
        element.addEventListener("ended", () => this.onEnd());
        this.watch();
    }
    /** Raises VideoError with a message for the visitor. */
    static async camera() {
        if (!window.isSecureContext || !navigator.mediaDevices)
            throw new VideoError(insecureMessage());
        const element = newElement();
        let stream;
        try {
            stream = await navigator.mediaDevices.getUserMedia({
                audio: false,
                // On a phone the camera that looks away from its owner.
                video: { width: { ideal: 1280 }, frameRate: { ideal: 30 }, facingMode: { ideal: "environment" } },
            });
            element.srcObject = stream;
            await element.play();
        }
        catch (error) {
            throw new VideoError(cameraMessage(error));
        }
        const stop = () => stream.getTracks().forEach((track) => track.stop());
        const video = new PageVideo("camera", "this device's camera", element, stop);
        stream.getVideoTracks()[0]?.addEventListener("ended", () => video.onEnd());
        return video;
    }
    /** Raises VideoError with a message for the visitor. */
    static async file(file) {
        const address = URL.createObjectURL(file);
        const element = newElement();
        element.src = address;
        try {
            await element.play();
        }
        catch {
            URL.revokeObjectURL(address);
            const name = file.name || "This file";
            throw new VideoError(`${name} cannot be played by this browser. Try “Upload a video”: the server reads more formats.`);
        }
        return new PageVideo("file", file.name, element, () => URL.revokeObjectURL(address));
    }
    /** Whether there is a frame that was not grabbed yet. */
    get hasFresh() {
        return this.fresh;
    }
    /** A file stands still; a camera goes on, and what it sees meanwhile is let go. */
    hold(on) {
        if (this.kind !== "file" || this.closed)
            return;
        if (on)
            this.element.pause();
        else if (!this.element.ended)
            void this.element.play();
    }
    async rewind() {
        this.element.currentTime = 0;
        await this.element.play();
    }
    /** Draws the newest frame into the canvas, no side longer than `side`, and gives its JPEG of at most `bytes`. */
    async grab(canvas, side, bytes) {
        this.fresh = false;
        const { videoWidth, videoHeight } = this.element;
        const scale = Math.min(1, Math.min(side, PREFERRED_SIDE) / Math.max(videoWidth, videoHeight));
        const width = Math.max(1, Math.round(videoWidth * scale));
        const height = Math.max(1, Math.round(videoHeight * scale));
        if (canvas.width !== width || canvas.height !== height)
            Object.assign(canvas, { width, height });
        canvas.getContext("2d")?.drawImage(this.element, 0, 0, width, height);
        for (let quality = QUALITY; quality > 0.1; quality -= 0.25) {
            const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
            if (jpeg && jpeg.size <= bytes)
                return jpeg;
        }
        return null;
    }
    close() {
        this.closed = true;
        this.element.pause();
        this.release();
    }
    watch() {
        const seen = () => {
            if (this.closed)
                return;
            this.fresh = this.element.videoWidth > 0;
            this.watch();
            this.onFresh();
        };
        if ("requestVideoFrameCallback" in this.element)
            this.element.requestVideoFrameCallback(seen);
        else
            requestAnimationFrame(seen);
    }
}
/** Why the browser gives no camera to this page; empty where it does. */
export function insecureMessage() {
    if (window.isSecureContext && navigator.mediaDevices)
        return "";
    return "Browsers give the camera to secure pages only: open this page by https, or as localhost on the server itself.";
}
function cameraMessage(error) {
    switch (error instanceof DOMException ? error.name : "") {
        case "NotAllowedError":
            return "The camera was refused. Allow it for this page (the camera sign in the address bar), then choose it again.";
        case "NotFoundError":
        case "OverconstrainedError":
            return "No camera was found on this device. Plug one in, or take a video.";
        case "NotReadableError":
            return "The camera is in use by another program. Close that one, then choose the camera again.";
        default:
            return "The camera could not be opened. Try again, or take a video.";
    }
}
function newElement() {
    return Object.assign(document.createElement("video"), { muted: true, playsInline: true });
}
