/*
 * Before anything is drawn: the theme and language that were chosen here, so that nothing flashes. No module, for those
 * wait.
 */
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("sync2gear.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const language = localStorage.getItem("sync2gear.language");
    if (language) root.lang = language;
  } catch {
    // Storage is switched off: the system's theme and language it is.
  }
})();
