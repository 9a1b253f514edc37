// The recording's button, its clock and its files.
const ABOUT = {
    "annotated.mp4": "the video with boxes drawn",
    "boxes.csv": "a row a frame and target",
    "tracks.mot.txt": "MOT format",
};
export class Recorder {
    button;
    label;
    files;
    empty;
    on = false;
    since = 0;
    timer = 0;
    constructor(button, label, files, empty) {
        this.button = button;
        this.label = label;
        this.files = files;
        this.empty = empty;
    }
    begin() {
        this.on = true;
        this.since = performance.now();
        this.timer = window.setInterval(() => this.draw(), 500);
        this.draw();
    }
    /** The recording is over; its files come with `offer`. */
    end() {
        this.on = false;
        clearInterval(this.timer);
        this.draw();
    }
    offer(files) {
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
    draw() {
        const seconds = Math.floor((performance.now() - this.since) / 1000);
        const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        this.button.classList.toggle("recording", this.on);
        this.button.setAttribute("aria-pressed", String(this.on));
        this.label.textContent = this.on ? `Stop ${clock}` : "Record";
    }
}
