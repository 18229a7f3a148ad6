/** What rules are made of: days, quiet hours, places. @type {import("../../common/i18n.js").Texts} */
export default {
  "rules.all_days": "Every day",
  "rules.days": "Days",
  "rules.every_floor": "Everywhere",
  "rules.floors": "Floors",
  "rules.no_floors": "There is no floor yet. Make one in the settings first.",
  "rules.nowhere": "Nowhere yet",
  "rules.places_more": { one: "and {n} more", other: "and {n} more" },
  "rules.quiet": "Quiet hours",
  "rules.quiet_from": "Silent from",
  "rules.quiet_hint": "Nothing of this is heard in these hours. They may reach past midnight.",
  "rules.quiet_span": "quiet {from} to {to}",
  "rules.quiet_to": "until",
  "rules.search_speakers": "Search speakers",
  "rules.speakers": "Single speakers",
  "rules.speakers_hint": "Only for what should not be heard on the whole floor.",
  "rules.weekdays": "Mon to Fri",
};
