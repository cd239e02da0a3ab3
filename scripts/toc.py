"""The pages that _toc.yml names, and the check that each of them was built."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def toc_files(root: Path = ROOT) -> list[str]:
    """Every page named in _toc.yml, in reading order, without its suffix."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]]

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "file" in node:
                files.append(node["file"])
            for key in ("parts", "chapters", "sections", "subtrees", "entries"):
                walk(node.get(key))
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(toc)
    return files


def main(argv: list[str]) -> int:
    """Exit status 0 when index.html and every page of the table of contents lie in the folder `argv[0]`."""
    html = Path(argv[0] if argv else ROOT / "_build" / "html").resolve()
    missing = [page for page in ["index", *toc_files()] if not (html / f"{page}.html").is_file()]
    for page in missing:
        print(f"not built: {html / page}.html", file=sys.stderr)
    if missing:
        return 1
    print(f"The book is built: open {html / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
