// Plays samples while they arrive. Buffers are scheduled on the audio clock, each at the sample where the one before
// ends. (An AudioWorklet would be the other way, but browsers have it on HTTPS and localhost only.)

import { Recording, SAMPLE_RATE, toFloat } from "./pcm.js";

/** Seconds between the first piece and the first sound: time for the next piece to arrive. */
const LEAD = 0.06;

const ANALYSED_SAMPLES = 1024;

export class Player {
  #sources = new Set();
  #next = 0; // frame of the recording that is scheduled next
  #anchor = null; // {time, frame}: the audio clock's time at which that frame sounds
  #complete = false;
  #playing = false;

  /**
   * @param {BaseAudioContext} context of SAMPLE_RATE, so that no resampler works at the joins
   * @param {() => void} onEnd called when all of a complete recording has been heard
   */
  constructor(context, onEnd = () => {}) {
    this.context = context;
    this.onEnd = onEnd;
    this.recording = new Recording();
    this.underruns = 0;
    this.analyser = new AnalyserNode(context, { fftSize: ANALYSED_SAMPLES });
    this.analyser.connect(context.destination);
  }

  /** Forget what was played and wait for samples of another speech. */
  begin() {
    this.#silence();
    this.recording = new Recording();
    this.underruns = 0;
    this.#complete = false;
    this.#seat(0);
    this.#playing = true;
  }

  /** Take the next samples; they sound at once, or after those that are still sounding. */
  add(samples) {
    if (!samples.length) return;
    this.recording.add(samples);
    if (this.#playing) this.#schedule(samples);
  }

  /** No more samples come: playing ends when the last one has been heard. */
  finish() {
    this.#complete = true;
    this.#endIfHeard();
  }

  /** Play from this second of the recording on. */
  playFrom(seconds) {
    this.#silence();
    const frame = Math.min(Math.max(0, Math.round(seconds * SAMPLE_RATE)), this.recording.length);
    this.#seat(frame);
    this.#playing = true;
    const rest = this.recording.from(frame);
    if (rest.length) this.#schedule(rest);
    this.#endIfHeard();
  }

  /** Stop the sound; the position stays where it is. */
  halt() {
    const frame = Math.round(this.position * SAMPLE_RATE);
    this.#silence();
    this.#seat(frame);
  }

  /** Whether it is sounding, or would as soon as samples arrive. */
  get playing() {
    return this.#playing;
  }

  /** Second of the recording that is being heard. */
  get position() {
    if (!this.#anchor) return this.#next / SAMPLE_RATE;
    const heard = this.#anchor.frame / SAMPLE_RATE + Math.max(0, this.context.currentTime - this.#anchor.time);
    return Math.min(heard, this.#next / SAMPLE_RATE);
  }

  /** Loudness of what is sounding now, root mean square, 0 to 1. */
  get level() {
    const heard = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(heard);
    return Math.sqrt(heard.reduce((sum, sample) => sum + sample * sample, 0) / heard.length);
  }

  #seat(frame) {
    this.#next = frame;
    this.#anchor = null;
  }

  #schedule(samples) {
    const buffer = this.context.createBuffer(1, samples.length, SAMPLE_RATE);
    buffer.copyToChannel(toFloat(samples), 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.analyser);
    source.onended = () => {
      this.#sources.delete(source);
      this.#endIfHeard();
    };
    this.#sources.add(source);
    source.start(this.#startTime());
    this.#next += samples.length;
  }

  /** When the next frame is due: where the one before ends, or soon where that is already over. */
  #startTime() {
    const now = this.context.currentTime;
    const due = this.#anchor && this.#anchor.time + (this.#next - this.#anchor.frame) / SAMPLE_RATE;
    if (due !== null && due >= now) return due;
    if (due !== null) this.underruns += 1;
    // A whole frame of the clock, so that later pieces start on one as well and are not interpolated.
    const time = Math.ceil((now + LEAD) * this.context.sampleRate) / this.context.sampleRate;
    this.#anchor = { time, frame: this.#next };
    return time;
  }

  #silence() {
    for (const source of this.#sources) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    this.#sources.clear();
    this.#playing = false;
  }

  #endIfHeard() {
    if (!this.#complete || !this.#playing || this.#sources.size) return;
    this.#playing = false;
    this.#seat(this.recording.length);
    this.onEnd();
  }
}
