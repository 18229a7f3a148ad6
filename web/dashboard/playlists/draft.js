/** A playlist as it is changed, and what the API takes. */

/** @typedef {import("../../.types/api.js").components["schemas"]["ChannelPlaylistDetail"]} Playlist */

/**
 * @typedef {object} DraftItem
 * @property {"music" | "announcement"} kind
 * @property {number} of the id of its sound
 * @property {string} title
 * @property {string} artist
 * @property {number} duration_ms
 * @property {string} interval minutes; empty: the playlist's default
 * @property {string} why_not why it is not heard now; empty: it is
 */

/**
 * @typedef {object} Draft
 * @property {string} name
 * @property {boolean} enabled
 * @property {boolean} shuffle_music
 * @property {boolean} shuffle_announcements
 * @property {string} default_announcement_interval
 * @property {string} default_music_interval
 * @property {string | null} quiet_hours_start
 * @property {string | null} quiet_hours_end
 * @property {DraftItem[]} items
 * @property {{ floor: number, priority: string }[]} floors
 */

/** A new one, on these floors. @param {number[]} floors @returns {Draft} */
export function blank(floors) {
  return {
    name: "",
    enabled: true,
    shuffle_music: true,
    shuffle_announcements: false,
    default_announcement_interval: "30",
    default_music_interval: "0",
    quiet_hours_start: null,
    quiet_hours_end: null,
    items: [],
    floors: floors.map((floor) => ({ floor, priority: "0" })),
  };
}

/** One that is there, to be changed. @param {Playlist} row @returns {Draft} */
export function draftOf(row) {
  const fresh = blank([]);
  return {
    name: row.name,
    enabled: row.enabled ?? true,
    shuffle_music: row.shuffle_music ?? false,
    shuffle_announcements: row.shuffle_announcements ?? false,
    default_announcement_interval: String(row.default_announcement_interval ?? fresh.default_announcement_interval),
    default_music_interval: String(row.default_music_interval ?? fresh.default_music_interval),
    quiet_hours_start: row.quiet_hours_start?.slice(0, 5) ?? null,
    quiet_hours_end: row.quiet_hours_end?.slice(0, 5) ?? null,
    items: (row.items ?? []).map((item) => ({
      kind: item.announcement ? "announcement" : "music",
      of: item.announcement ?? item.music_file ?? 0,
      title: item.title,
      artist: item.artist,
      duration_ms: item.duration_ms,
      interval: item.interval_minutes ? String(item.interval_minutes) : "",
      why_not: item.why_not,
    })),
    floors: row.floors.map((floor) => ({ floor: floor.id, priority: String(floor.priority ?? 0) })),
  };
}

/** What the API takes of it, but for the floors. @param {Draft} draft */
export function bodyOf(draft) {
  return {
    name: draft.name.trim(),
    enabled: draft.enabled,
    shuffle_music: draft.shuffle_music,
    shuffle_announcements: draft.shuffle_announcements,
    default_announcement_interval: Number(draft.default_announcement_interval),
    default_music_interval: Number(draft.default_music_interval),
    quiet_hours_start: draft.quiet_hours_start || null,
    quiet_hours_end: draft.quiet_hours_end || null,
    items: draft.items.map((item) => ({
      [item.kind === "music" ? "music_file" : "announcement"]: item.of,
      interval_minutes: item.interval ? Number(item.interval) : null,
    })),
  };
}

/** Which floors have it, as the API takes it. @param {Draft} draft */
export function floorsOf(draft) {
  return {
    floors: draft.floors.map(({ floor, priority }) => ({ floor, priority: Math.round(Number(priority)) || 0 })),
  };
}

/**
 * The list with one element moved to another place; the same list if nothing moves.
 * @template T
 * @param {T[]} list @param {number} from @param {number} to
 */
export function moved(list, from, to) {
  const place = Math.max(0, Math.min(list.length - 1, to));
  if (place === from || !(from in list)) return list;
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, place), list[from], ...rest.slice(place)];
}
