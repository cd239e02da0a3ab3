// The widgets call MathJax 2 (`MathJax.Hub.Queue`), the pages load MathJax 3: translate the one call they make.
document.addEventListener("DOMContentLoaded", () => {
  if (!window.MathJax || window.MathJax.Hub) return;
  window.MathJax.Hub = {
    Queue: ([, , element]) => {
      element.classList.add("mathjax_process"); // outside such elements the pages' settings leave dollars alone
      return window.MathJax.startup.promise.then(() => window.MathJax.typesetPromise([element]));
    },
  };
});

// A slider over pictures has the name that stands beside it, and says the picture that it shows.
function nameSlider(slider) {
  const handle = slider.querySelector(".noUi-handle"), label = slider.querySelector(".widget-label");
  if (!handle || !label || handle.hasAttribute("aria-label")) return;
  handle.setAttribute("aria-label", label.textContent);
  label.removeAttribute("title");
  slider.querySelector(".widget-readout")?.setAttribute("aria-label", `${label.textContent}, step`);
  const say = () => {
    const shown = slider.parentElement.querySelector("img"); // the one that is in the page
    if (shown) handle.setAttribute("aria-valuetext", shown.alt);
  };
  const later = () => setTimeout(say, 50); // the picture changes after the slider
  new MutationObserver(later).observe(handle, { attributeFilter: ["aria-valuenow"] });
  handle.addEventListener("focus", say);
}

// A table that is too wide can be scrolled by keyboard; a row has the name that stands in its first cell.
function nameTables(article) {
  for (const box of article.querySelectorAll(".pst-scrollable-table-container")) {
    if (box.scrollWidth > box.clientWidth) {
      Object.entries({ tabindex: 0, role: "region", "aria-label": "table, scrolls sideways" })
        .forEach(([name, value]) => box.setAttribute(name, value));
    }
  }
  for (const cell of article.querySelectorAll("table:has(thead) > tbody > tr > td:first-child")) {
    cell.setAttribute("role", "rowheader");
  }
  for (const link of article.querySelectorAll("table a.reference.download")) { // in a list of links, numbers say nothing
    const record = link.getAttribute("href").split("/").pop().replace(/\.json$/, "");
    const said = link.textContent.trim();
    if (said !== record) link.setAttribute("aria-label", `${said}, ${record}`);
  }
}

// A picture that is shown smaller than it is opens by itself.
function openPicture(picture) {
  if (picture.closest("a, .widget-subarea, .animation") || picture.naturalWidth <= 1.3 * picture.clientWidth) return;
  const link = document.createElement("a");
  link.href = picture.src;
  link.setAttribute("aria-label", `${picture.alt} (opens the picture)`);
  picture.replaceWith(link);
  link.append(picture);
}

// What is folded says what it is.
function nameFolds(article) {
  for (const summary of article.querySelectorAll("summary[aria-label]")) summary.removeAttribute("aria-label");
  for (const button of article.querySelectorAll("button.toggle-button")) {
    const title = button.closest(".admonition, .solution, .proof")?.querySelector(".admonition-title");
    if (title) button.setAttribute("aria-label", `show or hide: ${title.textContent.trim()}`);
  }
}

window.addEventListener("load", () => {
  const article = document.querySelector(".bd-article");
  if (!article) return;
  nameTables(article);
  nameFolds(article);
  article.querySelectorAll("img").forEach(openPicture);
  const nameSliders = () => article.querySelectorAll(".widget-hslider").forEach(nameSlider);
  new MutationObserver(nameSliders).observe(article, { childList: true, subtree: true });
  nameSliders();
});

// Paper is white.
let theme;
window.addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });
