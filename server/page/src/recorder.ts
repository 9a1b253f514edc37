// The recording's button, its clock and its files.

const ABOUT: Record<string, string> = {
  "annotated.mp4": "the video with boxes drawn",
  "boxes.csv": "a row a frame and target",
  "tracks.mot.txt": "MOT format",
};

export class Recorder {
  on = false;
  private since = 0;
  private timer = 0;

  constructor(
    private readonly button: HTMLButtonElement,
    private readonly label: HTMLElement,
    private readonly files: HTMLUListElement,
    private readonly empty: HTMLElement,
  ) {}

  begin(): void {
    this.on = true;
    this.since = performance.now();
    this.timer = window.setInterval(() => this.draw(), 500);
    this.draw();
  }

  /** The recording is over; its files come with `offer`. */
  end(): void {
    this.on = false;
    clearInterval(this.timer);
    this.draw();
  }

  offer(files: Record<string, string>): void {
    this.end();
    this.empty.hidden = true;
    const items = Object.entries(files).map(([name, address]) => {
      const link = Object.assign(document.createElement("a"), { href: address, download: name, textContent: name });
      const item = document.createElement("li");
      item.append(link, Object.assign(document.createElement("span"), { textContent: ABOUT[name] ?? "" }));
      return item;
    });
    this.files.replaceChildren(...items);
  }

  private draw(): void {
    const seconds = Math.floor((performance.now() - this.since) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    this.button.classList.toggle("recording", this.on);
    this.button.setAttribute("aria-pressed", String(this.on));
    this.label.textContent = this.on ? `Stop ${clock}` : "Record";
  }
}
