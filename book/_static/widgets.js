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

window.addEventListener("load", () => {
  const article = document.querySelector(".bd-article");
  if (!article) return;
  const nameSliders = () => article.querySelectorAll(".widget-hslider").forEach(nameSlider);
  new MutationObserver(nameSliders).observe(article, { childList: true, subtree: true });
  nameSliders();
});
