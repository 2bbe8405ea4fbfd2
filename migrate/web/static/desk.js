// Everything works without this file. With it: single keys, once switched on, and reasons that fit the verdict.
"use strict";
(() => {
  // htmx notes the address of the page, for a history that is switched off here: nothing stays in the browser.
  try { window.sessionStorage.removeItem("htmx-current-path-for-history"); } catch { /* no storage, nothing kept */ }

  const typing = (element) => element.closest("input:not([type=radio]), textarea, select, [contenteditable]");

  function fitReasons(form) {
    const chosen = form.querySelector("input[name=verdict]:checked");
    const select = form.querySelector("select[name=code]");
    for (const group of select.querySelectorAll("optgroup")) {
      group.disabled = Boolean(chosen) && group.label !== chosen.value;
      group.hidden = group.disabled;
    }
    if (select.selectedOptions[0] && select.selectedOptions[0].parentElement.disabled) select.value = "";
    select.required = Boolean(chosen) && !["same", "different"].includes(chosen.value);
  }

  for (const form of document.querySelectorAll("form[data-verdict]")) {
    form.addEventListener("change", () => fitReasons(form));
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
    fitReasons(form);
  }

  // A page that comes back from the browser's memory is out of date.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keyboard !== "on") return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event.target)) return;
    if (event.key === "Enter" && event.target.matches("input[type=radio]")) return;
    const goal = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!goal || goal.disabled) return;
    event.preventDefault();
    goal.focus();
    if (goal.type === "radio") { goal.checked = true; fitReasons(goal.form); } else goal.click();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const shown = event.target.querySelector(".shown");
    if (shown) { shown.tabIndex = -1; shown.focus(); }
  });
})();
