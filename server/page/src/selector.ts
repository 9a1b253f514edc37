// Drawing a box on the picture: by mouse, finger or keyboard.

import { clamp } from "./overlay.js";
import type { Box } from "./protocol.js";
import type { Stage } from "./stage.js";

const LEAST_SIDE = 6;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface SelectorEvents {
  /** Whether a box may be drawn now; says why where not. */
  ready(): boolean;
  /** The picture stands still from here on. */
  begin(byKeyboard: boolean): void;
  /** The box as it is now, while the keyboard moves it. */
  moved(box: Box): void;
  /** The box is done, or was given up. */
  end(box: Box | null): void;
}

export class Selector {
  private from: [number, number] | null = null;

  constructor(
    private readonly stage: Stage,
    private readonly events: SelectorEvents,
  ) {
    const { overlay } = stage;
    overlay.addEventListener("pointerdown", (event) => this.press(event));
    overlay.addEventListener("pointermove", (event) => this.drag(event));
    overlay.addEventListener("pointerup", (event) => this.lift(event));
    overlay.addEventListener("pointercancel", () => this.finish(null));
    overlay.addEventListener("keydown", (event) => this.key(event));
    overlay.addEventListener("blur", () => this.finish(null));
  }

  /** Gives up the box that is being drawn. */
  cancel(): void {
    this.finish(null);
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0 || !event.isPrimary || !this.events.ready()) return;
    this.stage.overlay.focus({ preventScroll: true });
    this.stage.overlay.setPointerCapture(event.pointerId);
    if (!this.stage.selection) this.events.begin(false);
    this.from = this.stage.place(event);
    this.select([...this.from, 0, 0]);
  }

  private drag(event: PointerEvent): void {
    if (!this.from || !event.isPrimary) return;
    const [x, y] = this.stage.place(event);
    const [x0, y0] = this.from;
    this.select([Math.min(x, x0), Math.min(y, y0), Math.abs(x - x0), Math.abs(y - y0)]);
  }

  private lift(event: PointerEvent): void {
    if (!this.from || !event.isPrimary) return;
    this.drag(event);
    const box = this.stage.selection;
    this.finish(box && Math.min(box[2], box[3]) >= LEAST_SIDE ? box : null);
  }

  private key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    const box = this.stage.selection;
    if (event.ctrlKey || event.metaKey || event.altKey || this.from) return;
    if (arrow || (event.key === "Enter" && !box)) {
      event.preventDefault();
      if (box && arrow) this.step(box, arrow, event.shiftKey);
      else if (this.events.ready()) this.beginByKeyboard();
    } else if (event.key === "Enter" && box) {
      event.preventDefault();
      this.finish(box);
    } else if (event.key === "Escape" && box) {
      this.finish(null);
    }
  }

  private beginByKeyboard(): void {
    const { width, height } = this.stage;
    const side = Math.min(width, height) / 4;
    this.events.begin(true);
    this.select([(width - side) / 2, (height - side) / 2, side, side]);
    this.tell();
  }

  /** Moves the box by a hundredth of the picture, or, sizing, grows it about its centre. */
  private step([x, y, w, h]: Box, [right, down]: [number, number], sizing: boolean): void {
    const { width, height } = this.stage;
    const step = Math.max(width, height) / 100;
    if (sizing) {
      const wide = clamp(w + right * step, LEAST_SIDE, width);
      const high = clamp(h - down * step, LEAST_SIDE, height);
      [x, y, w, h] = [x + (w - wide) / 2, y + (h - high) / 2, wide, high];
    } else {
      [x, y] = [x + right * step, y + down * step];
    }
    this.select([clamp(x, 0, width - w), clamp(y, 0, height - h), w, h]);
    this.tell();
  }

  private select(box: Box | null): void {
    this.stage.selection = box;
    this.stage.redraw();
  }

  private tell(): void {
    if (this.stage.selection) this.events.moved(this.stage.selection);
  }

  private finish(box: Box | null): void {
    if (!this.stage.selection) return;
    this.from = null;
    this.select(null);
    this.events.end(box);
  }
}
