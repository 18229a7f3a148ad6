/** Words that several pages share. @type {import("../i18n.js").Texts} */
export default {
  "common.actions": "Actions",
  "common.cancel": "Cancel",
  "common.close": "Close",
  "common.failed": "Something went wrong here. Load the page again.",
  "common.hide_password": "Hide the password",
  "common.loading": "Loading",
  "common.messages": "Messages",
  "common.not_playable": "This sound cannot be played here.",
  "common.pause_of": "Pause {name}",
  "common.play_of": "Listen to {name}",
  "common.position_of": "Position in {name}",
  "common.rate_limited": {
    one: "That was too often. Try again in a second.",
    other: "That was too often. Try again in {n} seconds.",
  },
  "common.retry": "Try again",
  "common.show_more": "Show more",
  "common.show_password": "Show the password",
  "common.undo": "Undo",
  "common.unreachable": "The server cannot be reached. Try again in a moment.",
};
