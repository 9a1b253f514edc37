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
    count = 0;
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
    /** The newest first, and no more than the server keeps. */
    offer(files, most) {
        this.end();
        this.empty.hidden = true;
        this.count += 1;
        const list = document.createElement("ul");
        for (const [name, address] of Object.entries(files)) {
            const link = Object.assign(document.createElement("a"), { href: address, download: name, textContent: name });
            const item = document.createElement("li");
            item.append(link, Object.assign(document.createElement("span"), { textContent: ABOUT[name] ?? "" }));
            list.append(item);
        }
        const recording = document.createElement("li");
        recording.append(Object.assign(document.createElement("h3"), { textContent: `Recording ${this.count}` }), list);
        this.files.prepend(recording);
        while (this.files.children.length > most)
            this.files.lastElementChild?.remove();
    }
    draw() {
        const seconds = Math.floor((performance.now() - this.since) / 1000);
        const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        this.button.classList.toggle("recording", this.on);
        this.button.setAttribute("aria-pressed", String(this.on));
        this.label.textContent = this.on ? `Stop ${clock}` : "Record";
    }
}
