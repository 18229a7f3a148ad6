/** Parts that show or set a speaker, also on other pages. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { now, presence } from "../../common/live.js";
import { invalidate } from "../../common/query.js";
import { locked, may } from "../../common/session.js";
import { IconButton, Slider, StatusDot, toast, toastError } from "../../common/ui.js";
import { html, useEffect, useState } from "../../common/view.js";
import { findings } from "./health.js";

/** @typedef {import("../../common/live.js").DeviceState} DeviceState */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

const DOTS = /** @type {const} */ ({ online: "good", late: "warn", offline: "bad" });

/** The dot of a speaker: online, late or offline. @param {{ state: DeviceState }} props */
export function SpeakerDot({ state }) {
  const how = presence(state, now.value);
  return html`<${StatusDot} kind=${DOTS[how]} label=${t(`devices.${how}`)} />`;
}

/** What most needs to be said of a speaker, in a line. @param {{ state: DeviceState }} props */
export function SpeakerWords({ state }) {
  const { code, kind, values } = findings(state, now.value)[0];
  return html`<span class=${`small ${kind === "good" || kind === "plain" ? "quiet" : kind}`}>${t(`devices.health_${code}`, values)}</span>`;
}

/** Whether one may command speakers now. */
export const mayControl = () => may("devices.control") && !locked.value;

/**
 * How loud a speaker is, and mute. What is set shows at once; what the speaker makes of it comes by the socket.
 * @param {{ state: Pick<DeviceState, "id" | "name" | "volume" | "muted">, floor?: Floor, wide?: boolean }} props
 */
export function Volume({ state, floor, wide = false }) {
  const [mine, setMine] = useState(/** @type {number | null} */ (null));
  const [muted, setMuted] = useState(/** @type {boolean | null} */ (null));
  useEffect(() => setMine(null), [state.volume]);
  useEffect(() => setMuted(null), [state.muted]);
  const send = async (/** @type {{ volume?: number, muted?: boolean }} */ body) => {
    try {
      await api.post(`/api/devices/${state.id}/volume/`, body);
      invalidate("/api/devices/");
    } catch (error) {
      setMine(null);
      setMuted(null);
      toastError(error);
    }
  };
  const [least, most] = [floor?.min_volume ?? 0, floor?.max_volume ?? 100];
  const silent = muted ?? state.muted;
  const value = Math.min(most, Math.max(least, mine ?? state.volume));
  const label = t("devices.volume_of", { name: state.name });
  const bounds = wide && (least > 0 || most < 100) ? t("devices.volume_bounds", { least, most }) : "";
  return html`<div class="devices-volume">
    <${IconButton} icon=${silent ? "mute" : "volume"} label=${t(silent ? "devices.unmute" : "devices.mute", { name: state.name })}
      aria-pressed=${silent ? "true" : "false"} disabled=${!mayControl()}
      onClick=${() => { setMuted(!silent); void send({ muted: !silent }); }} />
    <div class="grow"><${Slider} label=${html`<span class=${wide ? "" : "unseen"}>${label}</span>`} value=${value} min=${least} max=${most}
      hint=${bounds} disabled=${!mayControl()} onValue=${setMine}
      onDone=${(/** @type {number} */ volume) => void send({ volume })} /></div>
  </div>`;
}

/** Makes a speaker sound for a second, to know which it is. @param {{ id: number, name: string }} speaker */
export async function identify(speaker) {
  try {
    await api.post(`/api/devices/${speaker.id}/test-tone/`, { hz: 660, ms: 1000 });
    toast(t("devices.tone_sent", { name: speaker.name }));
  } catch (error) {
    toastError(error);
  }
}
