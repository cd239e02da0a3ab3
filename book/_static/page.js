// What the theme leaves out for keyboards, screen readers and paper.

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
});

// Paper is white.
let theme;
window.addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });
