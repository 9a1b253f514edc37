// What is drawn over the picture. Everything is in pixels of the frame; `unit` is one pixel of the screen in them.

import type { Box, EnergyMap, TargetResult } from "./protocol.js";
import { type Target, colourOf } from "./targets.js";

const ABSENT = "#c4c8cc";
const HALO = "rgba(0, 0, 0, 0.65)";
const FONT = "600 13px system-ui, sans-serif";
/** Knots of a colour map that gets lighter all the way (after matplotlib's inferno). */
const LIGHTER = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
] as const;

type Pen = CanvasRenderingContext2D;

export function drawTarget(pen: Pen, target: Target, unit: number): void {
  const colour = colourOf(target);
  const { result } = target;
  if (result) {
    drawCloud(pen, result, colour);
    drawCredible(pen, result, colour, unit);
  }
  const present = result?.present ?? true;
  drawBox(pen, target.box, present ? colour : ABSENT, unit, !present);
  const percent = result ? `  ${Math.round(100 * result.presence)} %` : "";
  drawLabel(pen, target.box, `${target.id}${percent}${present ? "" : "  lost"}`, present ? colour : ABSENT, unit);
}

/** The box that is being drawn. */
export function drawSelection(pen: Pen, box: Box, unit: number): void {
  const [x, y, w, h] = box;
  pen.fillStyle = "rgba(255, 255, 255, 0.12)";
  pen.fillRect(x, y, w, h);
  drawBox(pen, box, "#ffffff", unit, false);
  pen.fillStyle = "#ffffff";
  pen.strokeStyle = HALO;
  pen.lineWidth = unit;
  const side = 7 * unit;
  for (const cx of [x, x + w]) {
    for (const cy of [y, y + h]) {
      pen.beginPath();
      pen.rect(cx - side / 2, cy - side / 2, side, side);
      pen.fill();
      pen.stroke();
    }
  }
}

export function drawEnergy(pen: Pen, map: EnergyMap, unit: number): void {
  const picture = new ImageData(map.size, map.size);
  map.values.forEach((value, at) => {
    const [r, g, b] = lighter(value);
    picture.data.set([r, g, b, 255 * (0.2 + 0.45 * value)], 4 * at);
  });
  const small = Object.assign(document.createElement("canvas"), { width: map.size, height: map.size });
  small.getContext("2d")?.putImageData(picture, 0, 0);
  const [x, y, side] = map.region;
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, x, y, side, side);
  pen.setLineDash([2 * unit, 4 * unit]);
  pen.strokeStyle = "rgba(255, 255, 255, 0.8)";
  pen.lineWidth = unit;
  pen.strokeRect(x, y, side, side);
  pen.setLineDash([]);
}

/** The samples: a soft spot at each centre, a faint outline for each box, as strong as its weight. */
function drawCloud(pen: Pen, result: TargetResult, colour: string): void {
  const largest = Math.max(...result.samples.map((sample) => sample[4]), 1e-9);
  const radius = 0.11 * Math.sqrt(result.box[2] * result.box[3]);
  for (const [x, y, w, h, weight] of result.samples) {
    const share = weight / largest;
    if (share < 0.02) continue;
    const [cx, cy] = [x + w / 2, y + h / 2];
    const spot = pen.createRadialGradient(cx, cy, 0, cx, cy, radius);
    spot.addColorStop(0, colour);
    spot.addColorStop(1, `${colour}00`);
    pen.globalAlpha = 0.28 * share;
    pen.fillStyle = spot;
    pen.fillRect(cx - radius, cy - radius, 2 * radius, 2 * radius);
    pen.globalAlpha = 0.09 * share;
    pen.strokeStyle = colour;
    pen.lineWidth = radius / 4;
    pen.strokeRect(x, y, w, h);
  }
  pen.globalAlpha = 1;
}

/** The 90 % intervals: a ring between the smallest and the largest size, a cross for the centre. */
function drawCredible(pen: Pen, result: TargetResult, colour: string, unit: number): void {
  const [low, high] = result.interval;
  const cx = (low[0] + high[0]) / 2;
  const cy = (low[1] + high[1]) / 2;
  pen.beginPath();
  pen.rect(cx - high[2] / 2, cy - high[3] / 2, high[2], high[3]);
  pen.rect(cx - low[2] / 2, cy - low[3] / 2, low[2], low[3]);
  pen.globalAlpha = 0.18;
  pen.fillStyle = colour;
  pen.fill("evenodd");
  pen.globalAlpha = 1;
  pen.setLineDash([4 * unit, 3 * unit]);
  pen.strokeStyle = colour;
  pen.lineWidth = unit;
  pen.strokeRect(cx - high[2] / 2, cy - high[3] / 2, high[2], high[3]);
  pen.setLineDash([]);
  const cross = new Path2D();
  cross.moveTo(low[0], cy);
  cross.lineTo(high[0], cy);
  cross.moveTo(cx, low[1]);
  cross.lineTo(cx, high[1]);
  stroke(pen, cross, colour, 1.5 * unit, 1.5 * unit);
}

function drawBox(pen: Pen, [x, y, w, h]: Box, colour: string, unit: number, dashed: boolean): void {
  const path = new Path2D();
  path.rect(x, y, w, h);
  pen.setLineDash(dashed ? [7 * unit, 6 * unit] : []);
  stroke(pen, path, colour, 2.5 * unit, 2 * unit);
  pen.setLineDash([]);
}

function stroke(pen: Pen, path: Path2D, colour: string, width: number, halo: number): void {
  pen.lineJoin = "round";
  pen.strokeStyle = HALO;
  pen.lineWidth = width + halo;
  pen.stroke(path);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

function drawLabel(pen: Pen, box: Box, text: string, colour: string, unit: number): void {
  const { width, height } = pen.canvas;
  pen.save();
  // Text is laid out in pixels of the screen.
  pen.scale(unit, unit);
  pen.font = FONT;
  const across = pen.measureText(text).width + 12;
  const scale = pen.getTransform().a;
  const x = clamp(box[0] / unit - 1, 0, width / scale - across);
  const above = box[1] / unit - 24;
  const y = clamp(above >= 0 ? above : (box[1] + box[3]) / unit + 4, 0, height / scale - 20);
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, y, across, 20, 4);
  pen.fill();
  pen.fillStyle = "#0b0f13";
  pen.textBaseline = "middle";
  pen.fillText(text, x + 6, y + 10.5);
  pen.restore();
}

function lighter(value: number): [number, number, number] {
  const at = clamp(value, 0, 1) * (LIGHTER.length - 1);
  const below = LIGHTER[Math.min(Math.floor(at), LIGHTER.length - 2)] ?? LIGHTER[0];
  const above = LIGHTER[Math.min(Math.floor(at), LIGHTER.length - 2) + 1] ?? LIGHTER[0];
  const t = at - Math.min(Math.floor(at), LIGHTER.length - 2);
  return [0, 1, 2].map((i) => (below[i] ?? 0) * (1 - t) + (above[i] ?? 0) * t) as [number, number, number];
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
