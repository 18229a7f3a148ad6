/** The speaker: wires link, plan, media, plays, journal and output together. The rules live in those. */

import { Commands } from "./commands.js";
import { startHeartbeat } from "./heartbeat.js";
import { Link, monotonicNow } from "./link.js";
import { Media } from "./media.js";
import { MusicReports } from "./musicreports.js";
import { Output } from "./output.js";
import { Performer } from "./performer.js";
import { SOFTWARE } from "./pairing.js";
import { PlanKeeper } from "./planning.js";
import { shape, text } from "./rules/documents.js";
import { assetsByHash, neededAssets } from "./rules/plan.js";
import { LEAD_US, playsOf } from "./rules/plays.js";
import { Timekeeper } from "./rules/timekeeping.js";

/** @typedef {import("./kept.js").State} State */
/** @typedef {import("./rules/messages.js").Incoming} Incoming */
/** @typedef {import("./rules/plan.js").Desired} Desired */
/** @typedef {import("./rules/plan.js").Plan} Plan */
/**
 * What a speaker is built from.
 * @typedef {{kept: import("./kept.js").Kept, journal: import("./journal.js").Journal, cache:
 * import("./cache.js").MediaCache, identity: import("./kept.js").Identity}} Parts
 */
/**
 * Who shows the speaker: `changed` is called at every look; `broken` with an error that ends it; `restart` when the
 * server wants the page loaded anew; `placed` with the names of speaker, floor and business.
 * @typedef {{changed: () => void, broken: (error: unknown) => void, restart: () => void,
 *   placed: (where: Place) => void}} Stage
 */

const place = shape({ name: text, business: text, floor: text });
/** The names of the speaker, its business and its floor, "" without one. @typedef {ReturnType<typeof place>} Place */

const CAPABILITIES = ["sync", "plan", "duck", "join", "cancel", "test_tone", "identify", "music_reports"];
/** Allowed for decoding an announcement on a slow tablet; the fetch is the server's to add. */
const DECODE_MS = 400;
const LOOK_MS = 100;
const STATUS_LOOK_US = 500_000;
const PRUNE_US = 3_600_000_000;
const KEEP_CLOCK_US = 60_000_000;
/** @type {State} */
const FACTORY = { rev: -1, volume: 75, muted: false, output_delay_ms: 0, silenced: false, stopped: false };

export class Speaker {
  monotonicUs = monotonicNow;
  #parts;
  #stage;
  #paused = false;
  #bootId = crypto.randomUUID();
  #toldStatus = "";
  #toldUs = -Infinity;
  #statusLookUs = 0;
  #prunedUs = -Infinity;
  #keptClockUs = 0;
  /** How many receipts the server has not acknowledged. */
  owed = 0;
  /** @type {(() => void) | null} */
  #stopBeating = null;
  /**
   * How the last connection ended, and when the next is tried (ms since 1970).
   * @type {{code: number | null, again: number} | null}
   */
  lost = null;

  /**
   * @param {Parts} parts
   * @param {Stage} stage
   * @param {{state: State | null, clock: {drift: number} | null}} remembered
   */
  constructor(parts, stage, remembered) {
    this.#parts = parts;
    this.#stage = stage;
    this.journal = parts.journal;
    this.state = remembered.state ?? FACTORY;
    const { identity } = parts;
    this.time = new Timekeeper({ monotonicUs: monotonicNow, wallUs: () => Date.now() * 1000 }, remembered.clock);
    /** @type {Output} */
    this.output = new Output(this.time, (sha256, durationMs) => this.media.track(sha256, durationMs));
    /** @type {Media} */
    this.media = new Media(parts.cache, (bytes) => this.output.decode(bytes), {
      changed: () => this.performer.hurry(),
      staleUrls: () => this.tend(this.plans.refresh({ anew: true })),
    });
    this.plans = new PlanKeeper(
      parts.kept,
      { url: identity.plan_url, token: identity.token },
      {
        now: () => this.time.now(),
        lacking: () => this.media.lacking,
        changed: (plan) => this.tend(this.#takePlan(plan)),
      },
    );
    this.performer = new Performer(this);
    this.commands = new Commands(this);
    this.reports = new MusicReports(this);
    this.link = new Link(location.origin, identity.ws_path, identity.token, {
      hello: () => this.#hello(),
      now: () => Math.max(0, this.time.now()),
      probed: (probe, burst) => this.#probed(probe, burst),
      message: (message) => this.#message(message),
      lost: (code, waitS) => {
        this.lost = { code, again: Date.now() + waitS * 1000 };
      },
    });
  }

  /**
   * A speaker that goes on where it was when the page was closed.
   * @param {Parts} parts
   * @param {Stage} stage
   */
  static async wake(parts, stage) {
    const remembered = { state: await parts.kept.load("state"), clock: await parts.kept.load("clock") };
    const speaker = new Speaker(parts, stage, remembered);
    const lost = await parts.journal.recover(speaker.time.now());
    if (lost.length) console.warn(`${lost.length} plays were cut off; they are reported as unknown`);
    await parts.journal.recoverMusic();
    return speaker;
  }

  /** Plays, until `stop`. */
  async run() {
    this.#applyLevels();
    await this.plans.load();
    this.#stopBeating = startHeartbeat(LOOK_MS, () => this.#look());
    this.tend(this.link.open());
    this.tend(this.plans.refresh());
  }

  /** Says goodbye and falls silent. @param {string} reason */
  async stop(reason) {
    this.#stopBeating?.();
    this.reports.stop();
    this.link.close(reason);
    this.plans.close();
    await this.output.close();
  }

  /** The server wants it restarted. */
  restart() {
    this.#stage.restart();
  }

  /** Work beside the looks; what fails there ends the speaker. @param {Promise<unknown>} work */
  tend(work) {
    work.catch((error) => this.broken(error));
  }

  /**
   * An error of the program, or a disk that takes nothing: told to whoever shows the speaker.
   * @param {unknown} error
   */
  broken(error) {
    this.#stage.broken(error);
  }

  /** The test sound, as if the server had asked for it. */
  identify() {
    this.commands.identify();
  }

  /** Silences the music here until the page is closed. */
  pause() {
    this.#paused = true;
    this.#applyLevels();
  }

  /** Keeps a person's stop of this speaker's music over restarts. @param {boolean} stopped */
  async setStopped(stopped) {
    if (!stopped) this.#paused = false;
    this.state = { ...this.state, stopped };
    this.#applyLevels();
    await this.#parts.kept.save("state", this.state);
  }

  /** Whether a person has silenced the music of this speaker. */
  get musicOff() {
    return this.#paused || this.state.stopped;
  }

  #look() {
    const now = monotonicNow();
    if (this.time.look()) this.performer.poke();
    for (const note of this.output.look(now)) {
      this.performer.hear(note);
      this.commands.hear(note);
    }
    this.performer.look();
    this.reports.look();
    this.link.pump();
    if (now >= this.#statusLookUs) {
      this.#statusLookUs = now + STATUS_LOOK_US;
      this.media.fetchNext();
      this.#reportStatus(now);
      this.#housekeep(now);
    }
    this.#stage.changed();
  }

  #hello() {
    return {
      type: "hello",
      boot_id: this.#bootId,
      software: SOFTWARE,
      capabilities: CAPABILITIES,
      plan_etag: this.plans.etag,
      applied_rev: Math.max(0, this.state.rev),
      clock: this.time.report(),
      required_lead_ms: LEAD_US / 1000 + DECODE_MS,
      output_delay_ms: this.state.output_delay_ms,
    };
  }

  /**
   * @param {import("./rules/clockfilter.js").Probe} probe
   * @param {string} burst
   */
  #probed(probe, burst) {
    const wasTrusted = this.time.trusted;
    this.time.probed(probe, burst);
    if (wasTrusted || !this.time.trusted) return;
    if (this.plans.plan !== null) this.tend(this.#takePlan(this.plans.plan));
    this.performer.poke();
    this.tend(this.reports.handIn());
  }

  /** @param {Incoming} message */
  #message(message) {
    const { type, body } = message;
    if (type === "welcome") {
      this.lost = null;
      this.#toldStatus = "";
      this.tend(this.#applyDesired(body.desired));
      this.plans.useUrl(body.plan_url);
      if (!this.plans.etag || body.plan_etag !== this.plans.etag) this.tend(this.plans.refresh());
      this.tend(this.#oweAll());
      this.tend(this.#askPlace());
    } else if (type === "play_announcement") this.tend(this.#takePush(body));
    else if (type === "cancel_announcement") this.performer.cancel(body.event_id);
    else if (type === "plan_changed") {
      if (!body.etag || body.etag !== this.plans.etag) this.tend(this.plans.refresh());
    } else if (type === "set_desired") this.tend(this.#applyDesired(body));
    else if (type === "control" || type === "test_tone") this.commands.take(message);
    else if (type === "receipt_ack") {
      this.tend(this.journal.acknowledge(body.event_ids));
      this.tend(this.reports.acknowledged(body.report_ids));
    } else if (type === "error") console.warn("the server says:", body.code, body.detail);
    else if (type === "junk") console.warn("not understood:", body.why);
  }

  /** Where this speaker stands, for people to read; without an answer they read what they read before. */
  async #askPlace() {
    const headers = { Authorization: `Bearer ${this.#parts.identity.token}` };
    const answer = await fetch("/api/devices/self/", { headers }).catch(() => null);
    if (answer?.ok) this.#stage.placed(place(await answer.json(), "self"));
  }

  /** A session begins: everything that the server has not acknowledged is handed in. */
  async #oweAll() {
    for (const receipt of await this.journal.owed()) this.link.owe(receipt);
    await this.reports.handIn();
  }

  /** @param {Desired} desired */
  async #applyDesired(desired) {
    if (desired.rev <= this.state.rev) return;
    const volume = Math.min(100, Math.max(0, desired.volume));
    const output_delay_ms = Math.max(0, desired.output_delay_ms);
    this.state = { ...this.state, ...desired, volume, output_delay_ms };
    this.#applyLevels();
    this.performer.poke();
    await this.#parts.kept.save("state", this.state);
  }

  #applyLevels() {
    const { volume, muted, silenced, output_delay_ms } = this.state;
    this.output.levels = { volume, muted, musicOff: this.musicOff, silenced };
    this.output.outputDelayMs = output_delay_ms;
  }

  /** @param {Plan} plan */
  async #takePlan(plan) {
    await this.#applyDesired(plan.desired);
    const known = await this.journal.known();
    if (plan !== this.plans.plan) return; // a newer one came meanwhile
    const now = this.time.now();
    this.performer.takePlanned(
      playsOf(plan).filter((play) => !known.has(play.event_id)),
      plan.silences,
    );
    const assets = assetsByHash(plan);
    const needs = neededAssets(plan, now).flatMap((sha256) => assets.get(sha256) ?? []);
    this.media.plan(needs.map(({ sha256, url, bytes }) => ({ sha256, url, size: bytes })));
    this.output.music.setPlan(plan, now);
    this.performer.poke();
  }

  /** @param {import("./rules/messages.js").Body<"play_announcement">} push */
  async #takePush({ audio_url, bytes, mime: _, lead_in_ms: __, ...push }) {
    const play = { ...push, pushed: true };
    const again = await this.journal.receiptAgain(push.event_id);
    const ack = (/** @type {string} */ state) => {
      this.link.say({ type: "ack", event_id: push.event_id, state }, { urgent: true });
    };
    if (again !== null) {
      ack("duplicate");
      this.link.owe(again);
      return;
    }
    const state = this.performer.takePushed(play);
    const fetching = this.media.push({ sha256: push.sha256, url: audio_url, size: bytes });
    if (state === "armed" && fetching) {
      this.performer.acknowledgeWhenReady(play);
      ack("fetching");
    } else ack(state);
    this.performer.hurry();
  }

  /** @param {number} now */
  #reportStatus(now) {
    const welcome = this.link.session?.welcome ?? null;
    if (welcome === null) return;
    const playing = this.output.nowPlaying;
    const clock = this.time.report();
    const status = JSON.stringify([this.state, playing.kind, playing.id, clock.state]);
    if (status === this.#toldStatus && now - this.#toldUs < welcome.heartbeat_s * 1e6) return;
    this.#toldStatus = status;
    this.#toldUs = now;
    this.link.say({
      type: "status_update",
      status: "online",
      volume: this.state.volume,
      muted: this.state.muted,
      now_playing: playing,
      applied_rev: Math.max(0, this.state.rev),
      clock,
      buffer_ms: this.output.latencyMs,
      underruns: this.output.underruns,
      cache_bytes: this.media.bytes,
      receipts_pending: this.owed,
    });
  }

  /** @param {number} now */
  #housekeep(now) {
    this.tend(this.journal.owedCount().then((owed) => void (this.owed = owed)));
    const clock = this.time.kept();
    if (clock !== null && now - this.#keptClockUs >= KEEP_CLOCK_US) {
      this.#keptClockUs = now;
      this.tend(this.#parts.kept.save("clock", clock));
    }
    if (this.time.trusted && now - this.#prunedUs >= PRUNE_US) {
      this.#prunedUs = now;
      this.tend(this.journal.prune(this.time.now()));
    }
  }
}
