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
