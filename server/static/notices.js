// What the page tells: a banner over the picture for targets, a line for everything else, both also aloud.
const FOUND_MS = 4000;
export class Notices {
    banner;
    urgent;
    polite;
    line;
    lineText;
    lineButton;
    foundTimer = 0;
    constructor(banner, urgent, polite, line, lineText, lineButton) {
        this.banner = banner;
        this.urgent = urgent;
        this.polite = polite;
        this.line = line;
        this.lineText = lineText;
        this.lineButton = lineButton;
    }
    /** Says at once what has changed, and keeps saying what is lost. */
    targets(targets) {
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
        }
        else if (found.length > 0) {
            this.show("found", `${names(found)} found again`);
            clearTimeout(this.foundTimer);
            this.foundTimer = window.setTimeout(() => this.hideBanner(), FOUND_MS);
        }
        else if (!this.foundTimer) {
            this.hideBanner();
        }
    }
    /** For those who do not see the picture. */
    aloud(text) {
        this.polite.textContent = text;
    }
    /** A message above the picture, with something to do about it. */
    say(text, kind = "info", action) {
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
    get free() {
        return this.line.hidden;
    }
    /** Takes the message back; where a text is given, only if it is that one. */
    clear(text) {
        if (text !== undefined && this.lineText.textContent !== text)
            return;
        this.line.hidden = true;
        this.lineText.textContent = "";
    }
    show(kind, text) {
        this.banner.hidden = false;
        this.banner.dataset["kind"] = kind;
        if (this.banner.textContent !== text)
            this.banner.textContent = text;
    }
    /** The targets that it names are there no more. */
    hideBanner() {
        clearTimeout(this.foundTimer);
        this.foundTimer = 0;
        this.banner.hidden = true;
    }
}
function names(targets) {
    return `${targets.length > 1 ? "Targets" : "Target"} ${targets.map((target) => target.id).join(", ")}`;
}
