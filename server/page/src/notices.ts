// What the page tells: a banner over the picture for targets, a line for everything else, both also aloud.

import type { Target } from "./targets.js";

const FOUND_MS = 4000;

export class Notices {
  private foundTimer = 0;

  constructor(
    private readonly banner: HTMLElement,
    private readonly urgent: HTMLElement,
    private readonly polite: HTMLElement,
    private readonly line: HTMLElement,
    private readonly lineText: HTMLElement,
    private readonly lineButton: HTMLButtonElement,
  ) {}

  /** Says at once what has changed, and keeps saying what is lost. */
  targets(targets: readonly Target[]): void {
    const changed = targets.filter((target) => target.result?.event);
    const found = changed.filter((target) => target.result?.event === "found");
    const lost = targets.filter((target) => target.result && !target.result.present);
    if (changed.length > 0) {
      const said = changed.map((target) => `Target ${target.id} is ${target.result?.event === "lost" ? "lost" : "found again"}.`);
      this.urgent.textContent = said.join(" ");
    }
    if (lost.length > 0) {
      clearTimeout(this.foundTimer);
      this.foundTimer = 0;
      this.show("lost", `${names(lost)} lost: searching`);
    } else if (found.length > 0) {
      this.show("found", `${names(found)} found again`);
      clearTimeout(this.foundTimer);
      this.foundTimer = window.setTimeout(() => this.hideBanner(), FOUND_MS);
    } else if (!this.foundTimer) {
      this.hideBanner();
    }
  }

  /** For those who do not see the picture. */
  aloud(text: string): void {
    this.polite.textContent = text;
  }

  /** A message above the picture, with something to do about it. */
  say(text: string, kind: "info" | "warning" = "info", action?: { text: string; run: () => void }): void {
    this.line.hidden = false;
    this.line.dataset["kind"] = kind;
    this.lineText.textContent = text;
    this.lineButton.hidden = !action;
    if (action) {
      this.lineButton.textContent = action.text;
      this.lineButton.onclick = action.run;
    }
  }

  /** Whether there is no message above the picture. */
  get free(): boolean {
    return this.line.hidden;
  }

  /** Takes the message back; where a text is given, only if it is that one. */
  clear(text?: string): void {
    if (text !== undefined && this.lineText.textContent !== text) return;
    this.line.hidden = true;
    this.lineText.textContent = "";
  }

  private show(kind: "lost" | "found", text: string): void {
    this.banner.hidden = false;
    this.banner.dataset["kind"] = kind;
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }

  /** The targets that it names are there no more. */
  hideBanner(): void {
    clearTimeout(this.foundTimer);
    this.foundTimer = 0;
    this.banner.hidden = true;
  }
}

function names(targets: readonly Target[]): string {
  return `${targets.length > 1 ? "Targets" : "Target"} ${targets.map((target) => target.id).join(", ")}`;
}
