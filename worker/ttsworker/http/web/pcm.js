// 16 bit little endian PCM, mono, cut into pieces anywhere, even in the middle of a sample.

export const SAMPLE_RATE = 24_000;

const BYTES_PER_SAMPLE = 2;

/** Turns pieces of bytes into pieces of samples; a half sample at the end of a piece waits for the next one. */
export class PcmReader {
  #half = null;

  /** @param {Uint8Array} bytes @returns {Int16Array} the samples that are complete, possibly none */
  read(bytes) {
    const start = this.#half === null ? 0 : 1;
    const whole = new Uint8Array(start + bytes.length);
    if (start) whole[0] = this.#half;
    whole.set(bytes, start);
    const count = Math.floor(whole.length / BYTES_PER_SAMPLE);
    this.#half = whole.length % BYTES_PER_SAMPLE ? whole[whole.length - 1] : null;
    const view = new DataView(whole.buffer);
    return Int16Array.from({ length: count }, (_, index) => view.getInt16(index * BYTES_PER_SAMPLE, true));
  }
}

/** @param {Int16Array} samples @returns {Float32Array} the same samples, -1 to 1 */
export function toFloat(samples) {
  return Float32Array.from(samples, (sample) => sample / 32_768);
}

/** Everything that has arrived of one speech. */
export class Recording {
  pieces = [];
  length = 0;

  add(samples) {
    this.pieces.push(samples);
    this.length += samples.length;
  }

  get seconds() {
    return this.length / SAMPLE_RATE;
  }

  /** @returns {Int16Array} all samples from `start` on */
  from(start) {
    const rest = new Int16Array(Math.max(0, this.length - start));
    let position = -start;
    for (const piece of this.pieces) {
      if (position + piece.length > 0) rest.set(piece.subarray(Math.max(0, -position)), Math.max(0, position));
      position += piece.length;
    }
    return rest;
  }
}
