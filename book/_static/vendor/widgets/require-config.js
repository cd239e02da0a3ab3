// RequireJS reads this object when it starts: modules and fonts of the widgets come from this folder, not from a CDN.
var require = {
  baseUrl: new URL("_static/vendor/widgets/", new URL(document.documentElement.dataset.content_root || "./", document.baseURI)).href,
};
