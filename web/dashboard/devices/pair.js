/** Bringing in a speaker by the code that it shows. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { devices, now, presence } from "../../common/live.js";
import { invalidate, useQuery } from "../../common/query.js";
import { Button, Dialog, Form, Icon, Notice, Select, TextField, toast, useForm } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";
import { codeShown } from "./health.js";

/** Eight letters and the dash between them. */
const CODE_LENGTH = 9;

/** @typedef {import("../../.types/api.js").components["schemas"]["Device"]} Device */
/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/**
 * How a device becomes a speaker, and the code of one that has.
 * @param {{ floor?: number, onPaired: (device: Device) => void, onCancel?: () => void }} props `floor`: it hangs there
 */
export function PairForm({ floor, onPaired, onCancel }) {
  const floors = /** @type {Floor[]} */ (useQuery("/api/floors/?page_size=200").data?.results ?? []);
  const form = useForm({ user_code: "", name: "", floor: floor ? String(floor) : "" }, async (values, sending) => {
    const chosen = values.floor || floors[0]?.id;
    const device = await api.post("/api/devices/claim/", { user_code: values.user_code, name: values.name, floor: chosen ? Number(chosen) : null }, sending);
    invalidate("/api/devices/", "/api/floors/");
    onPaired(device);
  });
  const code = form.of("user_code");
  const address = `${location.host}/speaker/`;
  return html`<ol class="devices-steps">
      <li><p><strong>${t("devices.pair_open")}</strong> ${t("devices.pair_open_text")}</p>
        <div class="row wrap"><code class="devices-address">${address}</code>
          <${Button} size="small" icon="open" href="/speaker/" target="_blank"
            rel="noopener">${t("devices.pair_here")}</${Button}></div></li>
      <li><p><strong>${t("devices.pair_code")}</strong> ${t("devices.pair_code_text")}</p>
        <${Form} form=${form} actions=${html`
          ${onCancel && html`<${Button} onClick=${onCancel}>${t("common.cancel")}</${Button}>`}
          <${Button} kind="primary" type="submit" busy=${form.busy}
            disabled=${form.values.user_code.length < CODE_LENGTH}>${t("devices.pair_go")}</${Button}>`}>
          <${TextField} label=${t("devices.code")} ...${code} onValue=${(/** @type {string} */ text) => code.onValue(codeShown(text))}
            class="input devices-code" placeholder="BCDF-GHJK"
            autofocus=${Boolean(onCancel)} autocomplete="off" autocapitalize="characters" spellcheck=${false} required />
          <div class="fields">
            <${TextField} label=${t("devices.name")} hint=${t("devices.name_hint")} maxlength="255" ...${form.of("name")} />
            ${floors.length > 1 && !floor && html`<${Select} label=${t("devices.floor")}
              options=${floors.map((each) => [each.id, each.name])} ...${form.of("floor")} value=${form.values.floor || floors[0].id} />`}
          </div>
        </${Form}></li>
    </ol>`;
}


/** The same in a dialog, which stays until the speaker is there. @param {{ floor?: number, onClose: () => void }} props */
export function PairDialog({ floor, onClose }) {
  const [paired, setPaired] = useState(/** @type {Device | null} */ (null));
  return html`<${Dialog} title=${t("devices.pair")} onClose=${onClose}>
    ${paired
      ? html`<${Arriving} device=${paired} /><div class="actions"><${Button} kind="primary"
        onClick=${onClose}>${t("devices.done")}</${Button}></div>`
      : html`<${PairForm} floor=${floor} onPaired=${(/** @type {Device} */ device) => { setPaired(device); toast(t("devices.paired", { name: device.name })); }} onCancel=${onClose} />`}
  </${Dialog}>`;
}

/** That a speaker is on its way, and then that it is there. @param {{ device: { id: number, name: string } }} props */
export function Arriving({ device }) {
  const state = devices.value.get(device.id);
  const there = state && presence(state, now.value) !== "offline";
  if (there) return html`<${Notice} kind="good" role="status">${t("devices.arrived", { name: device.name })}</${Notice}>`;
  return html`<p class="row" role="status"><span class="spinner" aria-hidden="true"></span><${Icon}
    name="speaker" />${t("devices.arriving", { name: device.name })}</p>`;
}
