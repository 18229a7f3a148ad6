/** Worte, die mehrere Seiten teilen. @type {import("../i18n.js").Texts} */
export default {
  "common.actions": "Aktionen",
  "common.cancel": "Abbrechen",
  "common.close": "Schließen",
  "common.failed": "Hier ging etwas schief. Laden Sie die Seite neu.",
  "common.hide_password": "Passwort verbergen",
  "common.loading": "Wird geladen",
  "common.messages": "Meldungen",
  "common.not_playable": "Dieser Ton lässt sich hier nicht abspielen.",
  "common.pause_of": "{name} anhalten",
  "common.play_of": "{name} anhören",
  "common.position_of": "Stelle in {name}",
  "common.rate_limited": {
    one: "Das war zu oft. Versuchen Sie es in einer Sekunde wieder.",
    other: "Das war zu oft. Versuchen Sie es in {n} Sekunden wieder.",
  },
  "common.retry": "Noch einmal versuchen",
  "common.show_more": "Mehr zeigen",
  "common.show_password": "Passwort zeigen",
  "common.undo": "Rückgängig",
  "common.unreachable": "Der Server ist nicht erreichbar. Versuchen Sie es gleich noch einmal.",
};
