/** Woraus Regeln bestehen: Tage, Ruhezeiten, Orte. @type {import("../../common/i18n.js").Texts} */
export default {
  "rules.all_days": "Jeden Tag",
  "rules.days": "Tage",
  "rules.every_floor": "Überall",
  "rules.floors": "Etagen",
  "rules.no_floors": "Es gibt noch keine Etage. Legen Sie zuerst in den Einstellungen eine an.",
  "rules.nowhere": "Noch nirgends",
  "rules.places_more": { one: "und {n} weitere", other: "und {n} weitere" },
  "rules.quiet": "Ruhezeit",
  "rules.quiet_from": "Still von",
  "rules.quiet_hint": "In dieser Zeit ist nichts davon zu hören. Sie darf über Mitternacht reichen.",
  "rules.quiet_span": "still von {from} bis {to}",
  "rules.quiet_to": "bis",
  "rules.search_speakers": "Lautsprecher suchen",
  "rules.speakers": "Einzelne Lautsprecher",
  "rules.speakers_hint": "Nur für das, was nicht auf der ganzen Etage zu hören sein soll.",
  "rules.weekdays": "Mo bis Fr",
};
