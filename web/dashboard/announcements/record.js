/** Recording with the microphone. */

import "./texts.js";
import { length, t } from "../../common/i18n.js";
import { Button, Notice } from "../../common/ui.js";
import { hold } from "../../common/unsaved.js";
import { html, useEffect, useRef, useState } from "../../common/view.js";

/** Nobody listens longer; a recording that was forgotten ends here. */
const LONGEST_MS = 5 * 60_000;
const LOOK_MS = 100;

/** The loudness of what the microphone hears, 0 to 1, on a scale on which speech stands in the middle. @param {Float32Array} samples */
export function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / (samples.length || 1);
  const db = 10 * Math.log10(power || 1e-10);
  return Math.min(1, Math.max(0, (db + 60) / 60));
}

/** @typedef {{ stop: () => void, level: () => number }} Running a recording that goes on */

/** Begins to record. Raises what the browser says when the microphone may not be used. @param {(file: File) => void} done @returns {Promise<Running>} */
async function begin(done) {
  // The shop's own voice as it is: no gain that pumps, no echo to be taken away.
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { autoGainControl: false, echoCancellation: false, noiseSuppression: true } });
  const recorder = new MediaRecorder(stream);
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
    const type = recorder.mimeType.split(";")[0];
    done(new File(parts, `recording.${type.split("/")[1] ?? "webm"}`, { type }));
  };
  recorder.start();
  return {
    stop: () => recorder.state !== "inactive" && recorder.stop(),
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      return levelOf(samples);
    },
  };
}

/** @param {{ onRecorded: (file: File) => void, onAgain: () => void }} props */
export function Recorder({ onRecorded, onAgain }) {
  const [running, setRunning] = useState(/** @type {Running | null} */ (null));
  const [since, setSince] = useState(0);
  const [shown, setShown] = useState({ ms: 0, level: 0 });
  const [url, setUrl] = useState("");
  const [wrong, setWrong] = useState("");
  const there = useRef(true);
  const element = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => () => {
    there.current = false;
  }, []);
  useEffect(() => () => running?.stop(), [running]);
  useEffect(() => running ? hold({ element: () => element.current, dirty: () => true }) : undefined, [running]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => {
      setShown({ ms: Date.now() - since, level: running.level() });
      if (Date.now() - since > LONGEST_MS) running.stop();
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [running]);

  if (!globalThis.navigator?.mediaDevices?.getUserMedia) return html`<${Notice}
    kind="warn">${t("announcements.no_microphone")}</${Notice}>`;

  const start = async () => {
    setWrong("");
    setUrl("");
    onAgain();
    try {
      const begun = await begin((file) => {
        if (!there.current) return; // the page was left: nobody wants it
        setRunning(null);
        setUrl(URL.createObjectURL(file));
        onRecorded(file);
      });
      setSince(Date.now());
      setShown({ ms: 0, level: 0 });
      setRunning(begun);
    } catch (error) {
      setWrong(t(error instanceof DOMException && error.name === "NotAllowedError" ? "announcements.microphone_refused" : "announcements.microphone_failed"));
    }
  };
  return html`<div class="announcements-record" ref=${element}>
    ${running
      ? html`<${Button} kind="danger" size="large" icon="stop" onClick=${() => running.stop()}>${t("announcements.stop")}</${Button}>
          <span class="number announcements-time">${length(shown.ms)}</span><meter class="announcements-level" min="0" max="1"
            value=${shown.level} aria-label=${t("announcements.level")}></meter><span class="unseen"
            role="status">${t("announcements.recording")}</span>`
      : html`<${Button} kind=${url ? "quiet" : "primary"} size="large" icon="microphone"
        onClick=${start}>${t(url ? "announcements.record_again" : "announcements.record")}</${Button}>`}
    ${url && html`<audio controls src=${url} aria-label=${t("announcements.recorded")}></audio>`}
    ${!running && !url && html`<p class="small quiet">${t("announcements.record_hint")}</p>`}
    ${wrong && html`<p class="bad" role="alert">${wrong}</p>`}
  </div>`;
}
