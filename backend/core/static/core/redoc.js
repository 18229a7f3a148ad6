// Starts Redoc with what its page says, in the fonts that are there.
"use strict";

const container = document.getElementById("redoc-container");
const system = "system-ui, sans-serif";
const theme = { typography: { fontFamily: system, headings: { fontFamily: system } } };
Redoc.init(container.dataset.schema, { ...JSON.parse(container.dataset.settings), theme }, container);
