// Draws the loudness of a recording as bars, while it arrives; what has been heard has another colour.

import { SAMPLE_RATE } from "./pcm.js";

const SAMPLES_PER_PEAK = SAMPLE_RATE / 100;
const BAR_WIDTH = 3;
const BAR_GAP = 2;
const FULL_SCALE = 0.45; // speech is seldom louder

export class Waveform {
  #peaks = [];
  #rest = 0; // samples that the last peak has so far
  #expected = 0;
  #position = 0;
  #pending = false;

  /** @param {HTMLCanvasElement} canvas coloured by its CSS `color` (heard) and `--unheard` */
  constructor(canvas) {
    this.canvas = canvas;
    new ResizeObserver(() => this.redraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  /** Start an empty one; the width shows this many seconds, or more when more arrive. */
  begin(expectedSeconds) {
    this.#peaks = [];
    this.#rest = 0;
    this.#expected = expectedSeconds;
    this.#position = 0;
    this.redraw();
  }

  add(samples) {
    for (const sample of samples) {
      if (this.#rest === 0) this.#peaks.push(0);
      const last = this.#peaks.length - 1;
      this.#peaks[last] = Math.max(this.#peaks[last], Math.abs(sample) / 32_768);
      this.#rest = (this.#rest + 1) % SAMPLES_PER_PEAK;
    }
    this.redraw();
  }

  /** All audio has arrived: the width shows exactly that. */
  finish() {
    this.#expected = 0;
    this.redraw();
  }

  set position(seconds) {
    if (seconds === this.#position) return;
    this.#position = seconds;
    this.redraw();
  }

  /** Seconds that the whole width shows. */
  get seconds() {
    return Math.max(this.#expected, this.#peaks.length / 100);
  }

  /** Draw once before the next frame is shown, however often it is asked for. */
  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.#draw();
    });
  }

  #draw() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    const style = getComputedStyle(canvas);
    const pen = canvas.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    const bars = Math.floor((width + BAR_GAP) / (BAR_WIDTH + BAR_GAP));
    const heard = this.seconds ? (this.#position / this.seconds) * bars : 0;
    for (let bar = 0; bar < bars; bar += 1) {
      const tall = Math.max(BAR_WIDTH, Math.min(1, this.#loudness(bar, bars) / FULL_SCALE) * height);
      pen.fillStyle = bar < heard ? style.color : style.getPropertyValue("--unheard");
      pen.beginPath();
      pen.roundRect(bar * (BAR_WIDTH + BAR_GAP), (height - tall) / 2, BAR_WIDTH, tall, BAR_WIDTH / 2);
      pen.fill();
    }
  }

  /** The loudest peak in a bar's share of the time; 0 where nothing has arrived. */
  #loudness(bar, bars) {
    const perBar = (this.seconds * 100) / bars;
    const end = Math.max(Math.floor(bar * perBar) + 1, Math.floor((bar + 1) * perBar));
    return this.#peaks.slice(Math.floor(bar * perBar), end).reduce((most, peak) => Math.max(most, peak), 0);
  }
}
