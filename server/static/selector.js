// Drawing a box on the picture: by mouse, finger or keyboard.
import { clamp } from "./overlay.js";
const LEAST_SIDE = 6;
const ARROWS = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
};
export class Selector {
    stage;
    events;
    from = null;
    constructor(stage, events) {
        this.stage = stage;
        this.events = events;
        const { overlay } = stage;
        overlay.addEventListener("pointerdown", (event) => this.press(event));
        overlay.addEventListener("pointermove", (event) => this.drag(event));
        overlay.addEventListener("pointerup", (event) => this.lift(event));
        overlay.addEventListener("pointercancel", () => this.finish(null));
        overlay.addEventListener("keydown", (event) => this.key(event));
        overlay.addEventListener("blur", () => this.finish(null));
    }
    /** Gives up the box that is being drawn. */
    cancel() {
        this.finish(null);
    }
    press(event) {
        if (event.button !== 0 || !event.isPrimary || !this.events.ready())
            return;
        this.stage.overlay.focus({ preventScroll: true });
        this.stage.overlay.setPointerCapture(event.pointerId);
        if (!this.stage.selection)
            this.events.begin(false);
        this.from = this.stage.place(event);
        this.select([...this.from, 0, 0]);
    }
    drag(event) {
        if (!this.from || !event.isPrimary)
            return;
        const [x, y] = this.stage.place(event);
        const [x0, y0] = this.from;
        this.select([Math.min(x, x0), Math.min(y, y0), Math.abs(x - x0), Math.abs(y - y0)]);
    }
    lift(event) {
        if (!this.from || !event.isPrimary)
            return;
        this.drag(event);
        const box = this.stage.selection;
        this.finish(box && Math.min(box[2], box[3]) >= LEAST_SIDE ? box : null);
    }
    key(event) {
        const arrow = ARROWS[event.key];
        const box = this.stage.selection;
        if (event.ctrlKey || event.metaKey || event.altKey || this.from)
            return;
        if (arrow || (event.key === "Enter" && !box)) {
            event.preventDefault();
            if (box && arrow)
                this.step(box, arrow, event.shiftKey);
            else if (this.events.ready())
                this.beginByKeyboard();
        }
        else if (event.key === "Enter" && box) {
            event.preventDefault();
            this.finish(box);
        }
        else if (event.key === "Escape" && box) {
            this.finish(null);
        }
    }
    beginByKeyboard() {
        const { width, height } = this.stage;
        const side = Math.min(width, height) / 4;
        this.events.begin(true);
        this.select([(width - side) / 2, (height - side) / 2, side, side]);
        this.tell();
    }
    /** Moves the box by a hundredth of the picture, or, sizing, grows it about its centre. */
    step([x, y, w, h], [right, down], sizing) {
        const { width, height } = this.stage;
        const step = Math.max(width, height) / 100;
        if (sizing) {
            const wide = clamp(w + right * step, LEAST_SIDE, width);
            const high = clamp(h - down * step, LEAST_SIDE, height);
            [x, y, w, h] = [x + (w - wide) / 2, y + (h - high) / 2, wide, high];
        }
        else {
            [x, y] = [x + right * step, y + down * step];
        }
        this.select([clamp(x, 0, width - w), clamp(y, 0, height - h), w, h]);
        this.tell();
    }
    select(box) {
        this.stage.selection = box;
        this.stage.redraw();
    }
    tell() {
        if (this.stage.selection)
            this.events.moved(this.stage.selection);
    }
    finish(box) {
        if (!this.stage.selection)
            return;
        this.from = null;
        this.select(null);
        this.events.end(box);
    }
}
