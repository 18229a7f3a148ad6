/**
 * A guard at the output: what adds up beyond full scale is bent by a soft knee, and never wraps or clips hard.
 *
 * Sources are within −1 dBTP each; only their sum can exceed it. The knee is the reference speaker's
 * (`mixer/limiter.py`); without its gain that falls and recovers, since a node without delay has no memory.
 */

export const KNEE = 0.92;
const CEILING = 0.99997;
/** As many times full scale can be told apart: a crossfade and two clips. */
const RANGE = 4;
const STEPS_PER_UNIT = 512;

/**
 * What leaves where `sample` comes in.
 * @param {number} sample
 */
export function guarded(sample) {
  const size = Math.abs(sample);
  if (size <= KNEE) return sample;
  return Math.sign(sample) * Math.min(CEILING, KNEE + (1 - KNEE) * Math.tanh((size - KNEE) / (1 - KNEE)));
}

/**
 * The guard as two nodes: connect to `input`; `output` is connected already.
 * @param {BaseAudioContext} context
 * @param {AudioNode} output
 */
export function guard(context, output) {
  const steps = RANGE * STEPS_PER_UNIT;
  const curve = Float32Array.from({ length: 2 * steps + 1 }, (_, n) => guarded((n - steps) / STEPS_PER_UNIT));
  const input = new GainNode(context, { gain: 1 / RANGE });
  input.connect(new WaveShaperNode(context, { curve })).connect(output);
  return input;
}
