// Presence and spread of the last seconds, a line a target.
import { HISTORY_S, colourOf } from "./targets.js";
/** So that lines differ by more than colour. */
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4]];
const GAP_S = 1.5;
const NAME_HEIGHT = 11;
const MARGIN = { left: 54, right: 18, top: 8, bottom: 8 };
export class Chart {
    canvas;
    value;
    top;
    written;
    constructor(canvas, value, 
    /** The top of the axis; found from the values where it is null. */
    top, written) {
        this.canvas = canvas;
        this.value = value;
        this.top = top;
        this.written = written;
    }
    draw(targets, now) {
        const ratio = window.devicePixelRatio || 1;
        const { clientWidth: width, clientHeight: height } = this.canvas;
        const pen = this.canvas.getContext("2d");
        if (!pen || width === 0)
            return;
        const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (this.canvas.width !== across || this.canvas.height !== down) {
            Object.assign(this.canvas, { width: across, height: down });
        }
        pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        pen.clearRect(0, 0, width, height);
        const highest = Math.max(0, ...targets.flatMap((target) => target.history.map(this.value)));
        const top = this.top ?? niceTop(highest);
        const x = (time) => MARGIN.left + (1 - (now - time) / HISTORY_S) * (width - MARGIN.left - MARGIN.right);
        const y = (value) => height - MARGIN.bottom - (value / top) * (height - MARGIN.top - MARGIN.bottom);
        pen.font = "11px system-ui, sans-serif";
        pen.textBaseline = "middle";
        pen.lineWidth = 1;
        pen.textAlign = "right";
        for (const tick of [0, top / 2, top]) {
            pen.strokeStyle = "rgba(255, 255, 255, 0.13)";
            pen.beginPath();
            pen.moveTo(MARGIN.left, Math.round(y(tick)) + 0.5);
            pen.lineTo(width - MARGIN.right, Math.round(y(tick)) + 0.5);
            pen.stroke();
            pen.fillStyle = "#a3adb7";
            pen.fillText(this.written(tick), MARGIN.left - 6, y(tick));
        }
        for (const target of targets)
            this.line(pen, target, x, y, now);
        this.names(pen, targets, x, y, now);
    }
    line(pen, target, x, y, now) {
        pen.strokeStyle = colourOf(target);
        pen.lineWidth = 1.75;
        pen.lineJoin = "round";
        pen.setLineDash(DASHES[target.slot % DASHES.length] ?? []);
        pen.beginPath();
        let last = -Infinity;
        for (const moment of target.history) {
            if (moment.time < now - HISTORY_S)
                continue;
            if (moment.time - last > GAP_S)
                pen.moveTo(x(moment.time), y(this.value(moment)));
            else
                pen.lineTo(x(moment.time), y(this.value(moment)));
            last = moment.time;
        }
        pen.stroke();
        pen.setLineDash([]);
    }
    /** Each line's number at its end, none over another. */
    names(pen, targets, x, y, now) {
        const ends = targets
            .map((target) => ({ target, end: target.history.at(-1) }))
            .flatMap(({ target, end }) => (end && end.time >= now - HISTORY_S ? [{ target, at: x(end.time), y: y(this.value(end)) }] : []))
            .sort((a, b) => a.y - b.y);
        let free = -Infinity;
        for (const end of ends)
            free = end.y = Math.max(end.y, free + NAME_HEIGHT);
        free = pen.canvas.clientHeight - NAME_HEIGHT / 2 + NAME_HEIGHT;
        for (const end of [...ends].reverse())
            free = end.y = Math.min(end.y, free - NAME_HEIGHT);
        pen.textAlign = "left";
        pen.font = "600 11px system-ui, sans-serif";
        for (const { target, at, y: middle } of ends) {
            pen.fillStyle = colourOf(target);
            pen.fillText(String(target.id), at + 5, middle);
        }
    }
}
/** 1, 2 or 5 times a power of ten, no less than the value and than 2. */
function niceTop(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 2)));
    return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= Math.max(value, 2)) ?? 10 * power;
}
