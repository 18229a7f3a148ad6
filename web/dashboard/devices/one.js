/** One speaker: how it is, what it sounds, what is set, and the way out. */

import "./texts.js";
import { api } from "../../common/api.js";
import { day, number, relative, size, t } from "../../common/i18n.js";
import { devices, now, presence } from "../../common/live.js";
import { invalidate, useQuery } from "../../common/query.js";
import { go } from "../../common/router.js";
import { locked, may, zone } from "../../common/session.js";
import { Ask, Badge, Button, Card, Failed, Form, Notice, PageHeader, Select, Skeleton, TextField, sentence, toast, toastError, useForm } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { findings } from "./health.js";
import { Outages } from "./outages.js";
import { Volume, identify, mayControl } from "./parts.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Device"]} Device */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */
/** @typedef {import("../../common/live.js").DeviceState} DeviceState */

const BADGES = /** @type {const} */ ({ online: "good", late: "warn", offline: "bad" });

/** @param {{ id: number }} props */
export function OneSpeaker({ id }) {
  const { data, error, reload } = useQuery(`/api/devices/${id}/`);
  const floors = /** @type {Floor[]} */ (useQuery("/api/floors/?ordering=name&page_size=200").data?.results ?? []);
  const device = /** @type {Device | undefined} */ (data);
  const back = { href: "/devices", text: t("devices.title") };
  if (!device) return html`<${PageHeader} title=${t("devices.speaker")} back=${back} />${error ? html`<${Failed} words=${sentence(error)}
    onRetry=${reload} />` : html`<${Skeleton} />`}`;
  const state = devices.value.get(id);
  const how = state ? presence(state, now.value) : device.status === "online" ? "online" : "offline";
  return html`
    <${PageHeader} title=${device.name} back=${back} lead=${device.floor_name ?? t("devices.no_floor")}><${Badge} kind=${BADGES[how]}
      icon=${how === "offline" ? "offline" : "wifi"}>${t(`devices.${how}`)}</${Badge}></${PageHeader}>
    ${device.revoked && html`<${Notice} kind="bad">${t("devices.revoked_text")}</${Notice}>`}
    ${device.floor === null && html`<${Notice} kind="warn">${t("devices.no_floor_text")}</${Notice}>`}
    <div class="devices-columns">
      <div class="stack">
        <${Card} title=${t("devices.sound")}><${Sound} device=${device} state=${state}
          floor=${floors.find((floor) => floor.id === device.floor)} offline=${how === "offline"} /></${Card}>
        ${may("devices.manage") && floors.length > 0 && html`<${Card} title=${t("devices.settings")}><${Settings} key=${id} device=${device}
          floors=${floors} /></${Card}>`}
      </div>
      <div class="stack">
        <${Card} title=${t("devices.health")}><${Health} device=${device} state=${state} /></${Card}>
        <${Card} title=${t("devices.outages")}><${Outages} id=${id} how=${how} /></${Card}>
        ${may("devices.manage") && html`<${Card} title=${t("devices.way_out")}><${WayOut} device=${device} /></${Card}>`}
      </div>
    </div>`;
}

/** Volume, and what it can be told to do. @param {{ device: Device, state?: DeviceState, floor?: Floor, offline: boolean }} props */
function Sound({ device, state, floor, offline }) {
  const playing = offline ? "nothing" : state?.reported?.now_playing?.kind ?? "nothing";
  const tell = async (/** @type {"next" | "restart" | "refetch"} */ action) => {
    try {
      await api.post(`/api/devices/${device.id}/control/`, { action });
      toast(t("devices.told", { name: device.name }));
    } catch (error) {
      toastError(error);
    }
  };
  const off = offline || !mayControl();
  return html`<div class="stack">
    <p>${t(`devices.playing_${playing}`)}</p>
    <${Volume} state=${state ?? { id: device.id, name: device.name, volume: device.volume ?? 0, muted: device.muted ?? false }}
      floor=${floor} wide />
    <div class="row wrap">
      <${Button} icon="bell" disabled=${off} onClick=${() => void identify(device)}>${t("devices.identify")}</${Button}>
      <${Button} icon="download" disabled=${off} onClick=${() => void tell("refetch")}>${t("devices.refetch")}</${Button}>
      <${Button} icon="refresh" disabled=${off} onClick=${() => void tell("restart")}>${t("devices.restart")}</${Button}>
    </div>
    ${offline && html`<p class="small quiet">${t("devices.offline_hint")}</p>`}
  </div>`;
}

/** What it says of itself, in words, and the figures for who looks after it. @param {{ device: Device, state?: DeviceState }} props */
function Health({ device, state }) {
  const reported = state?.reported ?? {};
  /** @type {[string, any][]} */
  const figures = [
    [t("devices.last_seen"), device.last_seen ? relative(device.last_seen, now.value) : t("devices.never")],
    [t("devices.clock_error"), state?.clock_error_us == null ? null : t("devices.ms", { n: number(state.clock_error_us / 1000, { maximumFractionDigits: 2 }) })],
    [t("devices.buffer"), reported.buffer_ms == null ? null : t("devices.ms", { n: number(reported.buffer_ms) })],
    [t("devices.stored"), reported.cache_bytes == null ? null : size(reported.cache_bytes)],
    [t("devices.software"), device.software || null],
    [t("devices.address"), device.ip_address],
    [t("devices.hardware"), device.device_id],
    [t("devices.since"), day(device.created_at, { zone: zone.value, year: true })],
  ];
  return html`<div class="stack">
    <ul class="stack tight">${state && findings(state, now.value).map(({ code, kind, values }) => html`<li key=${code} class="row top"><span
      class=${`dot ${kind} devices-dot`} aria-hidden="true"></span><span>${t(`devices.health_${code}`, values)}</span></li>`)}</ul>
    <dl class="devices-figures">${figures.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd
      class="number">${value}</dd></div>`)}</dl>
  </div>`;
}

/** @param {Device} device */
const draftOf = (device) => ({ name: device.name, floor: String(device.floor ?? ""), output_delay_ms: String(device.output_delay_ms ?? 0) });

/** Name, floor, and the installer's correction. @param {{ device: Device, floors: Floor[] }} props */
function Settings({ device, floors }) {
  const path = `/api/devices/${device.id}/`;
  const form = useForm(draftOf(device), async ({ name, floor, output_delay_ms: delay }, sending) => {
    await api.patch(path, { name, floor: floor ? Number(floor) : null, output_delay_ms: Number(delay) }, sending);
    invalidate("/api/devices/", "/api/floors/");
    toast(t("devices.saved"));
  }, { row: { path, draft: draftOf } });
  return html`<${Form} form=${form} actions=${html`<${Button} kind="primary" type="submit" busy=${form.busy}
    disabled=${Boolean(locked.value)}>${t("devices.save")}</${Button}>`}>
    <${TextField} label=${t("devices.name")} hint=${t("devices.name_hint")} required maxlength="255" ...${form.of("name")} />
    <${Select} label=${t("devices.floor")}
      options=${[["", t("devices.no_floor")], ...floors.map((floor) => /** @type {[number, string]} */ ([floor.id, floor.name]))]}
      ...${form.of("floor")} />
    <${TextField} type="number" min="0" max="10000" label=${t("devices.delay")} hint=${t("devices.delay_hint")}
      ...${form.of("output_delay_ms")} />
  </${Form}>`;
}

/** Taking away its right to connect, giving it back, and removing it. @param {{ device: Device }} props */
function WayOut({ device }) {
  const [asking, setAsking] = useState(/** @type {"revoke" | "remove" | null} */ (null));
  const [token, setToken] = useState("");
  const shut = () => setAsking(null);
  const changed = () => invalidate("/api/devices/", "/api/floors/");
  const again = async () => {
    try {
      setToken((await api.post(`/api/devices/${device.id}/rotate-token/`, {})).token);
      changed();
    } catch (error) {
      toastError(error);
    }
  };
  return html`<div class="stack">
    <p class="small quiet">${t("devices.way_out_text")}</p>
    <div class="row wrap">
      ${device.revoked ? html`<${Button} icon="key" onClick=${again}>${t("devices.readmit")}</${Button}>` : html`<${Button} icon="key"
        onClick=${() => setAsking("revoke")}>${t("devices.revoke")}</${Button}>`}
      <${Button} icon="remove" onClick=${() => setAsking("remove")}>${t("devices.remove")}</${Button}>
    </div>
    ${token && html`<${Notice} kind="accent"><p>${t("devices.token_text")}</p><code class="devices-address">${token}</code></${Notice}>`}
    ${asking === "revoke" && html`<${Ask} title=${t("devices.revoke_title", { name: device.name })} text=${t("devices.revoke_text")}
      button=${t("devices.revoke")}
      act=${async () => { await api.post(`/api/devices/${device.id}/revoke-token/`, {}); changed(); }} onClose=${shut} />`}
    ${asking === "remove" && html`<${Ask} title=${t("devices.remove_title", { name: device.name })} text=${t("devices.remove_text")}
      button=${t("devices.remove")}
      act=${async () => { await api.delete(`/api/devices/${device.id}/`); go("/devices", { anyway: true }); changed(); }} onClose=${shut} />`}
  </div>`;
}
