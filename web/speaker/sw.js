/**
 * Keeps the speaker's page for when there is no network. `RELEASE`, which the server puts before these lines, names this
 * release's files; each release has its own folder, so a file that is kept is the right one for ever. The page itself is
 * asked of the server first, for it names the release.
 */

const SHELL = `sync2gear-speaker-${RELEASE.base}`;
const PAGE = "/speaker/";
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((shell) => shell.addAll([PAGE, ...RELEASE.files]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("sync2gear-speaker-") && name !== SHELL))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(request));
  else if (url.pathname.startsWith(RELEASE.base)) event.respondWith(kept(request));
});

async function page(request) {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) return answer;
  } catch {
    // No network, or none that answers in time: the page that is kept plays on.
  }
  return (await caches.match(PAGE)) ?? Response.error();
}

async function kept(request) {
  return (await caches.match(request)) ?? fetch(request);
}
