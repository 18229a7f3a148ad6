/** Tones that a person asks for, the same as the reference speaker's. */

/** −12 dBFS. */
const LEVEL = 0.25;
const EDGE_S = 0.01;

/**
 * A sine of `ms` with edges of 10 ms, as samples.
 * @param {number} hz
 * @param {number} ms
 * @param {number} rate samples a second
 */
export function sine(hz, ms, rate) {
  const frames = Math.floor((ms * rate) / 1000);
  return Float32Array.from({ length: frames }, (_, n) => {
    const edge = Math.min(1, Math.min(n, frames - 1 - n) / (EDGE_S * rate));
    return LEVEL * edge * Math.sin((2 * Math.PI * hz * n) / rate);
  });
}

/**
 * Three short rising tones: "it is me".
 * @param {number} rate samples a second
 */
export function identify(rate) {
  const pause = new Float32Array(rate / 10);
  const parts = [sine(660, 150, rate), pause, sine(880, 150, rate), pause, sine(1175, 250, rate)];
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/**
 * Samples as something that can be played.
 * @param {Float32Array<ArrayBuffer>} samples
 * @param {number} rate
 */
export function bufferOf(samples, rate) {
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
  buffer.copyToChannel(samples, 0);
  return buffer;
}
