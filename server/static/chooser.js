// Where the pictures come from.
import { insecureMessage } from "./video.js";
export class Chooser {
    chosen;
    closed;
    section = element("chooser");
    error = element("chooser-error");
    back = element("chooser-back");
    buttons = Array.from(this.section.querySelectorAll("button.choice"));
    machine = element("choose-machine");
    cameras = element("machine-camera");
    constructor(chosen, closed) {
        this.chosen = chosen;
        this.closed = closed;
        element("choose-camera").addEventListener("click", () => this.chosen({ kind: "camera" }));
        this.fileInput("choose-file", "file-input", "file");
        this.fileInput("choose-upload", "upload-input", "upload");
        this.machine.addEventListener("click", () => this.chosen({ kind: "machine", index: Number(this.cameras.value) }));
        this.back.addEventListener("click", () => this.closed());
        const insecure = insecureMessage();
        if (insecure) {
            element("choose-camera").dataset["blocked"] = "true";
            element("camera-about").textContent = insecure;
        }
        this.enable(false);
    }
    /** The choices are there while there is a connection. */
    enable(on) {
        for (const button of this.buttons)
            button.disabled = !on || button.dataset["blocked"] === "true";
    }
    setCameras(indices) {
        const option = (index) => new Option(`Camera ${index}`, String(index));
        this.cameras.replaceChildren(...indices.map(option));
        element("machine-row").hidden = indices.length === 0;
        element("machine-pick").hidden = indices.length < 2;
    }
    show(canGoBack) {
        this.section.hidden = false;
        this.back.hidden = !canGoBack;
        if (canGoBack)
            this.back.focus({ preventScroll: true });
        this.fail("");
    }
    hide() {
        this.section.hidden = true;
    }
    fail(message) {
        this.error.textContent = message;
        this.error.hidden = !message;
    }
    fileInput(buttonId, inputId, kind) {
        const input = element(inputId);
        element(buttonId).addEventListener("click", () => input.click());
        input.addEventListener("change", () => {
            const file = input.files?.[0];
            input.value = ""; // the same file may be chosen again
            if (file)
                this.chosen({ kind, file });
        });
    }
}
/** The element of this id, which the page has. */
export function element(id) {
    const found = document.getElementById(id);
    if (!found)
        throw new Error(`the page has no #${id}`);
    return found;
}
