/** A floor's own settings, and a new floor. */

import "./texts.js";
import { api } from "../../common/api.js";
import { t } from "../../common/i18n.js";
import { invalidate } from "../../common/query.js";
import { go, place } from "../../common/router.js";
import { look, zone } from "../../common/session.js";
import { Ask, Button, Dialog, Form, Slider, TextField, ZoneField, toast, useForm } from "../../common/ui.js";
import { html, useState } from "../../common/view.js";

/** @typedef {import("../../.types/api.js").components["schemas"]["Floor"]} Floor */

/** What the form holds of a floor, or of one to be made. @param {Floor} [floor] */
const draftOf = (floor) => ({
  name: floor?.name ?? "",
  min_volume: floor?.min_volume ?? 0,
  max_volume: floor?.max_volume ?? 100,
  default_volume: floor?.default_volume ?? 60,
  quiet_hours_start: floor?.quiet_hours_start?.slice(0, 5) ?? "",
  quiet_hours_end: floor?.quiet_hours_end?.slice(0, 5) ?? "",
  timezone: floor?.timezone ?? "",
});

/** @param {{ floor?: Floor, onClose: () => void }} props without a floor it makes one */
export function FloorDialog({ floor, onClose }) {
  const [asking, setAsking] = useState(false);
  const path = floor ? `/api/floors/${floor.id}/` : null;
  const form = useForm(draftOf(floor), async (values, sending) => {
    const body = { ...values, quiet_hours_start: values.quiet_hours_start || null, quiet_hours_end: values.quiet_hours_end || null };
    if (path) await api.patch(path, body, sending);
    else await api.post("/api/floors/", body, sending);
    invalidate("/api/floors/");
    void look(); // how many floors are used stands in the profile
    toast(t("now.floor_saved", { floor: values.name }));
    onClose();
  }, { row: { path, draft: draftOf } });
  const remove = async () => {
    await api.delete(`/api/floors/${floor?.id}/`);
    invalidate("/api/floors/", "/api/devices/");
    void look();
    if (place.value.path !== "/") go("/");
    onClose();
  };
  if (asking) return html`<${Ask} title=${t("now.floor_delete_title", { floor: floor?.name ?? "" })} text=${t("now.floor_delete_text")}
    button=${t("now.floor_delete")} act=${remove} onClose=${() => setAsking(false)} />`;
  return html`<${Dialog} title=${floor ? t("now.floor_edit") : t("now.floor_add")} onClose=${onClose}>
    <${Form} form=${form} actions=${html`
      ${floor && html`<${Button} icon="remove" onClick=${() => setAsking(true)}>${t("now.floor_delete")}</${Button}>`}
      <${Button} onClick=${onClose}>${t("common.cancel")}</${Button}>
      <${Button} kind="primary" type="submit" busy=${form.busy}>${t("now.save")}</${Button}>`}>
      <${TextField} label=${t("now.floor_name")} hint=${t("now.floor_name_hint")} required maxlength="255" ...${form.of("name")} />
      <${Slider} label=${t("now.floor_default_volume")} hint=${t("now.floor_default_volume_hint")} ...${form.of("default_volume")} />
      <div class="fields">
        <${Slider} label=${t("now.floor_min_volume")} ...${form.of("min_volume")} />
        <${Slider} label=${t("now.floor_max_volume")} ...${form.of("max_volume")} />
      </div>
      <div class="fields">
        <${TextField} type="time" label=${t("now.floor_quiet_start")} ...${form.of("quiet_hours_start")} />
        <${TextField} type="time" label=${t("now.floor_quiet_end")} ...${form.of("quiet_hours_end")} />
      </div>
      <p class="small quiet">${t("now.floor_quiet_hint")}</p>
      <${ZoneField} label=${t("now.floor_zone")} hint=${t("now.floor_zone_hint", { zone: zone.value ?? "UTC" })} placeholder=${zone.value} ...${form.of("timezone")} />
    </${Form}>
  </${Dialog}>`;
}
