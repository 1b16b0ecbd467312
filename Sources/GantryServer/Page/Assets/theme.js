// Light, dark, or as the system has it. Loaded before the page is drawn, so that the colours never flash.
"use strict";
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const words = { system: "as the system", light: "light", dark: "dark" };
  const signs = { system: "◐", light: "☀", dark: "☾" };

  const kept = () => {
    try {
      const value = localStorage.getItem("gantry-theme");
      return order.includes(value) ? value : "system";
    } catch {
      return "system";
    }
  };

  const apply = (theme) => {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (!button) return;
    button.textContent = signs[theme];
    button.setAttribute("aria-label", `Colours: ${words[theme]}`);
    button.title = `Colours: ${words[theme]}`;
  };

  apply(kept());
  document.addEventListener("DOMContentLoaded", () => {
    apply(kept());
    document.getElementById("theme").addEventListener("click", () => {
      const next = order[(order.indexOf(kept()) + 1) % order.length];
      try {
        localStorage.setItem("gantry-theme", next);
      } catch {
        // Without storage the choice lasts as long as the page.
      }
      apply(next);
    });
  });
})();
