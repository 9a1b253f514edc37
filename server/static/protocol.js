// What the page and the server say to each other, version 1; server/protocol.py is the other side.
export const VERSION = 1;
const HEADER_BYTES = 8;
/** A binary message: number and milliseconds of capture, then the JPEG. */
export function packFrame(number, ms, jpeg) {
    const header = new DataView(new ArrayBuffer(HEADER_BYTES));
    header.setUint32(0, number >>> 0, true);
    header.setUint32(4, Math.floor(ms) >>> 0, true);
    return new Blob([header.buffer, jpeg]);
}
export function unpackFrame(data) {
    const jpeg = new Blob([data.slice(HEADER_BYTES)], { type: "image/jpeg" });
    return { number: new DataView(data).getUint32(0, true), jpeg };
}
