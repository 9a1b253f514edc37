// What the page and the server say to each other, version 1; server/protocol.py is the other side.

export const VERSION = 1;
const HEADER_BYTES = 8;

/** x, y, w, h in 0-based pixels of the frame. */
export type Box = [number, number, number, number];
/** x, y of the left upper corner and the side, pixels of the frame. */
export type Region = [number, number, number];

export interface Limits {
  frame_bytes: number;
  frame_side: number;
  targets: number;
  upload_bytes: number;
  frames_per_second: number;
  recordings: number;
}

export interface TargetResult {
  id: number;
  box: Box;
  presence: number;
  present: boolean;
  event: "lost" | "found" | null;
  /** Standard deviations of cx, cy, w, h. */
  spread: Box;
  /** Ends of the 90 % intervals of cx, cy, w, h. */
  interval: [Box, Box];
  region: Region;
  /** x, y, w, h, weight. */
  samples: [number, number, number, number, number][];
}

export interface EnergyMap {
  target: number;
  region: Region;
  size: number;
  /** Row by row, 0 to 1, high = likely. */
  values: number[];
}

export interface Result {
  type: "result";
  frame: number;
  ms: number;
  targets: TargetResult[];
  energy: EnergyMap | null;
}

export type SourceMessage =
  | { type: "source"; kind: "page" }
  | { type: "source"; kind: "upload"; id: string }
  | { type: "source"; kind: "camera"; index: number };

export type ClientMessage =
  | { type: "hello"; version: number }
  | { type: "add"; box: Box }
  | { type: "remove"; target: number }
  | { type: "reset" }
  | { type: "energy"; target: number | null }
  | { type: "record"; on: boolean }
  | SourceMessage
  | { type: "ack"; frame: number }
  | { type: "pause"; on: boolean };

export type Welcome = { type: "welcome"; version: number; limits: Limits; cameras: number[] };

export type ServerMessage =
  | Welcome
  | { type: "full"; message: string }
  | { type: "error"; message: string; fatal: boolean; to: ClientMessage["type"] | null }
  | { type: "added"; target: number }
  | { type: "recorded"; files: Record<string, string> }
  | Result;

/** A binary message: number and milliseconds of capture, then the JPEG. */
export function packFrame(number: number, ms: number, jpeg: Blob): Blob {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, number >>> 0, true);
  header.setUint32(4, Math.floor(ms) >>> 0, true);
  return new Blob([header.buffer, jpeg]);
}

export function unpackFrame(data: ArrayBuffer): { number: number; jpeg: Blob } {
  const jpeg = new Blob([data.slice(HEADER_BYTES)], { type: "image/jpeg" });
  return { number: new DataView(data).getUint32(0, true), jpeg };
}
