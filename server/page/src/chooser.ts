// Where the pictures come from.

import { insecureMessage } from "./video.js";

export type Choice =
  | { kind: "camera" }
  | { kind: "file"; file: File }
  | { kind: "upload"; file: File }
  | { kind: "machine"; index: number };

export class Chooser {
  private readonly section = element("chooser");
  private readonly error = element("chooser-error");
  private readonly back = element<HTMLButtonElement>("chooser-back");
  private readonly buttons = Array.from(this.section.querySelectorAll<HTMLButtonElement>("button.choice"));
  private readonly machine = element("choose-machine");
  private readonly cameras = element<HTMLSelectElement>("machine-camera");

  constructor(
    private readonly chosen: (choice: Choice) => void,
    private readonly closed: () => void,
  ) {
    element("choose-camera").addEventListener("click", () => this.chosen({ kind: "camera" }));
    this.fileInput("choose-file", "file-input", "file");
    this.fileInput("choose-upload", "upload-input", "upload");
    this.machine.addEventListener("click", () => this.chosen({ kind: "machine", index: Number(this.cameras.value) }));
    this.back.addEventListener("click", () => this.closed());
    const insecure = insecureMessage();
    if (insecure) {
      element<HTMLButtonElement>("choose-camera").dataset["blocked"] = "true";
      element("camera-about").textContent = insecure;
    }
    this.enable(false);
  }

  /** The choices are there while there is a connection. */
  enable(on: boolean): void {
    for (const button of this.buttons) button.disabled = !on || button.dataset["blocked"] === "true";
  }

  setCameras(indices: readonly number[]): void {
    const option = (index: number): HTMLOptionElement => new Option(`Camera ${index}`, String(index));
    this.cameras.replaceChildren(...indices.map(option));
    element("machine-row").hidden = indices.length === 0;
    element("machine-pick").hidden = indices.length < 2;
  }

  show(canGoBack: boolean): void {
    this.section.hidden = false;
    this.back.hidden = !canGoBack;
    if (canGoBack) this.back.focus({ preventScroll: true });
    this.fail("");
  }

  hide(): void {
    this.section.hidden = true;
  }

  fail(message: string): void {
    this.error.textContent = message;
    this.error.hidden = !message;
  }

  private fileInput(buttonId: string, inputId: string, kind: "file" | "upload"): void {
    const input = element<HTMLInputElement>(inputId);
    element(buttonId).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      input.value = ""; // the same file may be chosen again
      if (file) this.chosen({ kind, file });
    });
  }
}

/** The element of this id, which the page has. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}
