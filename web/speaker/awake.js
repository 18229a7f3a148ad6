/** Keeps the screen on while the page is seen, where the browser can: a tablet on a wall must not fall asleep. */

/** Begins to; asks again each time the page comes back, since the browser lets go when it is hidden. */
export function stayAwake() {
  if (!("wakeLock" in navigator)) return;
  const ask = async () => {
    if (document.visibilityState !== "visible") return;
    try {
      await navigator.wakeLock.request("screen");
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      console.warn("the screen may fall asleep:", error.message); // power saving, or a policy: sound goes on without it
    }
  };
  document.addEventListener("visibilitychange", () => void ask());
  void ask();
}
