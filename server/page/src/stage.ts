// The picture and what lies over it.

import { drawEnergy, drawSelection, drawTarget } from "./overlay.js";
import type { Box, EnergyMap } from "./protocol.js";
import type { Targets } from "./targets.js";

export class Stage {
  /** The box that is being drawn. */
  selection: Box | null = null;
  energy: EnergyMap | null = null;

  constructor(
    private readonly section: HTMLElement,
    /** Holds the shown frame and nothing else. */
    readonly picture: HTMLCanvasElement,
    readonly overlay: HTMLCanvasElement,
    private readonly targets: Targets,
  ) {
    new ResizeObserver(() => this.redraw()).observe(overlay);
  }

  get width(): number {
    return this.picture.width;
  }

  get height(): number {
    return this.picture.height;
  }

  /** Shows a frame; the overlay is drawn by `redraw`. */
  show(source: HTMLCanvasElement | ImageBitmap): void {
    const { width, height } = source;
    if (this.picture.width !== width || this.picture.height !== height) {
      Object.assign(this.picture, { width, height });
      this.section.style.setProperty("--ratio", String(width / height));
    }
    this.picture.getContext("2d")?.drawImage(source, 0, 0);
  }

  redraw(): void {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.overlay.clientWidth * ratio);
    const height = Math.round(this.overlay.clientHeight * ratio);
    if (this.overlay.width !== width || this.overlay.height !== height) Object.assign(this.overlay, { width, height });
    const pen = this.overlay.getContext("2d");
    if (!pen || width === 0) return;
    const scale = width / this.width;
    const unit = ratio / scale;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    if (this.energy) drawEnergy(pen, this.energy, unit);
    for (const target of this.targets.all) drawTarget(pen, target, unit);
    if (this.selection) drawSelection(pen, this.selection, unit);
  }

  /** Where a pointer is, in pixels of the frame, kept inside it. */
  place(event: PointerEvent): [number, number] {
    const area = this.overlay.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * this.width;
    const y = ((event.clientY - area.top) / area.height) * this.height;
    return [Math.max(0, Math.min(x, this.width)), Math.max(0, Math.min(y, this.height))];
  }
}
