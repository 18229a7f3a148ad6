/**
 * A beat several times a second that goes on while the page is hidden: a browser lets the timers of a hidden page run
 * once a second or a minute, those of a worker as they are set. Without a worker the page's own timer must do.
 */

/** Begins to beat. @param {number} everyMs @param {() => void} beat @returns {() => void} ends it */
export function startHeartbeat(everyMs, beat) {
  const worker = new Worker(new URL("./heartbeat.worker.js", import.meta.url));
  worker.onmessage = beat;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  worker.onerror = () => {
    timer ??= setInterval(beat, everyMs);
  };
  worker.postMessage(everyMs);
  return () => {
    worker.terminate();
    clearInterval(timer);
  };
}
