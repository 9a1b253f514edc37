// The targets as the page knows them: colour, newest result, and what presence and spread were of late.

import type { Box, Result, TargetResult } from "./protocol.js";

/** As in the annotated video: told apart also by colour-blind eyes, bright enough for any picture. */
export const COLOURS = ["#3ce1ff", "#ffb428", "#5aeb78", "#ff78be", "#faf03c", "#ff6e46"];
export const HISTORY_S = 20;

export interface Moment {
  /** Seconds of shown time. */
  time: number;
  presence: number;
  /** Standard deviation of the centre, pixels. */
  spread: number;
  event: TargetResult["event"];
}

export interface Target {
  id: number;
  /** Index of its colour and dash; no two targets share one. */
  slot: number;
  box: Box;
  /** Null until the first result after it was added. */
  result: TargetResult | null;
  history: Moment[];
}

export class Targets {
  readonly all: Target[] = [];

  add(id: number, box: Box): Target {
    const taken = new Set(this.all.map((target) => target.slot));
    let slot = 0;
    while (taken.has(slot)) slot += 1;
    const target: Target = { id, slot, box, result: null, history: [] };
    this.all.push(target);
    return target;
  }

  remove(id: number): void {
    const at = this.all.findIndex((target) => target.id === id);
    if (at >= 0) this.all.splice(at, 1);
  }

  clear(): void {
    this.all.length = 0;
  }

  /** Takes in a result that is shown at a time. */
  update(result: Result, time: number): void {
    for (const found of result.targets) {
      const target = this.all.find((one) => one.id === found.id);
      if (!target) continue; // removed while its frame was on the way
      target.result = found;
      target.box = found.box;
      const { presence, event } = found;
      target.history.push({ time, presence, event, spread: Math.hypot(found.spread[0], found.spread[1]) });
      while ((target.history[0]?.time ?? time) < time - HISTORY_S) target.history.shift();
    }
  }
}

export function colourOf(target: Target): string {
  return COLOURS[target.slot % COLOURS.length] ?? "#fff";
}
