// Loaded before anything is drawn, so that a chosen theme does not flash the other one first.
"use strict";
{
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // storage may be forbidden; the system's theme is fine
  }
  if (theme === "dark" || theme === "light") {
    document.documentElement.dataset.theme = theme;
  }
}
