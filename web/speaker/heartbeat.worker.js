/** Beats every so many ms, as it is told once. */
self.onmessage = ({ data }) => setInterval(() => self.postMessage(null), data);
