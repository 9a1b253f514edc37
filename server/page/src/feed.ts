// Frames to the server and results back: never more than one on the way, so that nothing can queue up.

import type { Connection } from "./connection.js";
import type { Limits, Result, SourceMessage } from "./protocol.js";
import type { Stage } from "./stage.js";
import type { PageVideo } from "./video.js";

export type ServerSource = Exclude<SourceMessage, { kind: "page" }>;
type Reason = "paused" | "drawing" | "hidden";

interface Flight {
  number: number;
  since: number;
  /** Its source was changed meanwhile: the answer is not shown. */
  stale: boolean;
}

export class Feed {
  /** Called once a frame and its result are shown; latency in milliseconds. */
  onShown: (result: Result, latency: number) => void = () => undefined;
  limits: Limits | null = null;
  video: PageVideo | null = null;
  server: ServerSource | null = null;
  /** Whether a frame of this source was shown. */
  hasPicture = false;

  private readonly drawn = document.createElement("canvas");
  private readonly stops = new Set<Reason>();
  private toldPause = false;
  private number = 0;
  private generation = 0;
  private flight: Flight | null = null;
  private nextDue = 0;
  private timer = 0;
  private lastJpeg: Blob | null = null;
  private received: { number: number; jpeg: Blob; generation: number } | null = null;
  private owedAck: number | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly stage: Stage,
  ) {}

  /** Frames come from the page. */
  playVideo(video: PageVideo): void {
    this.change();
    this.video = video;
    video.onFresh = () => void this.pump();
    this.connection.send({ type: "source", kind: "page" });
  }

  /** Frames come from the server. */
  playServer(source: ServerSource): void {
    this.change();
    this.server = source;
    this.connection.send(source);
  }

  /** Tracking stands still while there is a reason. */
  stop(reason: Reason, on: boolean): void {
    if (on) this.stops.add(reason);
    else this.stops.delete(reason);
    this.video?.hold(this.stops.size > 0);
    this.tellPause();
    if (this.stops.size > 0) return;
    if (this.owedAck !== null) this.acknowledge(this.owedAck);
    void this.pump();
  }

  get paused(): boolean {
    return this.stops.has("paused");
  }

  /** Whether a camera's pictures should come all the time. */
  get awaitsCamera(): boolean {
    const camera = this.video?.kind === "camera" || this.server?.kind === "camera";
    return camera && this.hasPicture && this.stops.size === 0 && this.connection.isOpen;
  }

  /** After a drop: the server is sent the frame that is shown, for targets to begin in. */
  restart(): void {
    this.flight = this.received = this.owedAck = null;
    this.toldPause = false;
    if (this.video && this.lastJpeg) this.launch(this.lastJpeg, performance.now());
    else if (this.server) this.playServer(this.server);
    this.tellPause();
  }

  frameCame(number: number, jpeg: Blob): void {
    this.received = { number, jpeg, generation: this.generation };
  }

  async resultCame(result: Result): Promise<void> {
    const received = this.received;
    if (received?.number === result.frame) {
      this.received = null;
      await this.showServerFrame(received.jpeg, received.generation, result);
      return;
    }
    const flight = this.flight;
    if (flight?.number !== result.frame) return;
    this.flight = null;
    if (!flight.stale) {
      this.stage.show(this.drawn);
      this.shown(result, performance.now() - flight.since);
    }
    this.tellPause();
    await this.pump();
  }

  private async showServerFrame(jpeg: Blob, generation: number, result: Result): Promise<void> {
    const picture = await createImageBitmap(jpeg);
    if (generation === this.generation) {
      this.stage.show(picture);
      this.shown(result, result.ms);
      if (this.stops.size > 0) this.owedAck = result.frame;
      else this.acknowledge(result.frame);
    }
    picture.close();
  }

  private shown(result: Result, latency: number): void {
    this.hasPicture = true;
    this.onShown(result, latency);
  }

  private acknowledge(frame: number): void {
    this.owedAck = null;
    this.connection.send({ type: "ack", frame });
  }

  /** Sends the newest frame if one may be sent. */
  private async pump(): Promise<void> {
    const { video, limits } = this;
    if (!video?.hasFresh || !limits || this.flight || this.stops.size > 0 || !this.connection.isOpen) return;
    const now = performance.now();
    if (now < this.nextDue) {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.pump(), this.nextDue - now);
      return;
    }
    const generation = this.generation;
    const flight = { number: -1, since: now, stale: false };
    this.flight = flight;
    this.nextDue = now + 1000 / limits.frames_per_second;
    const jpeg = await video.grab(this.drawn, limits.frame_side, limits.frame_bytes);
    if (this.flight !== flight) return; // the connection dropped meanwhile
    this.flight = null;
    if (jpeg && generation === this.generation && this.connection.isOpen) this.launch(jpeg, now);
  }

  private launch(jpeg: Blob, since: number): void {
    this.number = (this.number + 1) >>> 0;
    this.flight = { number: this.number, since, stale: false };
    this.lastJpeg = jpeg;
    this.connection.sendFrame(this.number, since, jpeg);
  }

  /** The server hears of a pause after the frame on its way, so that both hold the same picture. */
  private tellPause(): void {
    const wanted = this.stops.size > 0;
    if (this.flight || wanted === this.toldPause || !this.connection.isOpen) return;
    this.toldPause = wanted;
    this.connection.send({ type: "pause", on: wanted });
  }

  private change(): void {
    this.generation += 1;
    this.video?.close();
    this.video = this.server = null;
    this.lastJpeg = this.owedAck = null;
    this.hasPicture = false;
    if (this.flight) this.flight.stale = true;
  }
}
