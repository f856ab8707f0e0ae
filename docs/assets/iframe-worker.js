// The search of the site, for every language alike: each word of a query stands somewhere in a
// section, as it is written. In place of Material's worker, which has to guess where a Chinese
// word ends, and which no browser starts for a page that is opened from disk.
// Belongs here: finding places and telling them. Does not belong here: drawing them (Material).
{
  const [SETUP, READY, , RESULT] = [0, 1, 2, 3]; // its messages
  const AROUND = 60; // characters shown before the first hit and, twice, after it

  const plain = (html) =>
    new DOMParser().parseFromString(html, "text/html").body.textContent.replace(/\s+/g, " ").trim();

  const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

  const anyOf = (words) => {
    const longest = [...words].sort((a, b) => b.length - a.length);
    const literal = longest.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`(${literal.join("|")})`, "i");
  };

  const marked = (text, words) =>
    text
      .split(anyOf(words))
      .map((part, at) => (at % 2 ? `<mark>${escaped(part)}</mark>` : escaped(part)))
      .join("");

  const wordsOf = (query) => {
    const words = query.toLowerCase().split(/[\s"+*~^：，。、；？！]+/);
    return [...new Set(words.filter(Boolean))];
  };

  // 净值怎么算 → 净值, 值怎, 怎么, 么算: where no section has every word, some of these may do.
  const piecesOf = (words) => {
    const pieces = words.flatMap((word) =>
      word.split(/(\p{sc=Han}+)/u).flatMap((run) =>
        /^\p{sc=Han}{3,}$/u.test(run)
          ? Array.from(run.slice(1), (sign, at) => run[at] + sign)
          : [run],
      ),
    );
    return [...new Set(pieces.filter(Boolean))];
  };

  const hit = (section, words, least) => {
    const found = words.filter((word) => section.all.includes(word));
    if (found.length < least) return null;
    const score = found.reduce(
      (sum, word) =>
        sum +
        (section.name.includes(word) ? 10 + (section.name === word ? 10 : 0) : 0) +
        Math.min(section.all.split(word).length - 1, 5),
      section.location.includes("#") ? 0 : 1,
    );
    const first = section.text.search(anyOf(found));
    const from = Math.max(0, first - AROUND);
    const shown = section.text.slice(from, first < 0 ? 2 * AROUND : first + 2 * AROUND);
    const dots = [from > 0 ? "… " : "", from + shown.length < section.text.length ? " …" : ""];
    return {
      location: section.location,
      title: marked(section.title, found),
      text: `<p>${dots[0]}${marked(shown, found)}${dots[1]}</p>`,
      score: score * found.length,
      terms: Object.fromEntries(found.map((word) => [word, true])),
    };
  };

  class Finder extends EventTarget {
    postMessage({ type, data }) {
      if (type === SETUP) {
        this.sections = data.docs.map(({ location, title, text }) => {
          const told = { location, title: plain(title), text: plain(text) };
          const name = told.title.toLowerCase();
          return { ...told, name, all: `${name} ${told.text.toLowerCase()}` };
        });
        this.tell({ type: READY });
      } else {
        this.tell({ type: RESULT, data: { items: this.find(wordsOf(data)) } });
      }
    }

    tell(data) {
      queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
    }

    find(words) {
      if (!words.length) return [];
      const look = (these, least) =>
        this.sections.map((section) => hit(section, these, least)).filter(Boolean);
      let hits = look(words, words.length);
      if (!hits.length) hits = look(piecesOf(words), 1);
      const pages = new Map();
      for (const one of hits.sort((a, b) => b.score - a.score)) {
        const page = one.location.split("#")[0];
        pages.set(page, [...(pages.get(page) ?? []), one]);
      }
      for (const [page, sections] of pages) {
        if (sections.some((one) => one.location === page)) continue;
        const { title } = this.sections.find((one) => one.location === page);
        sections.push({ location: page, title: escaped(title), text: "", score: 0, terms: {} });
      }
      return [...pages.values()];
    }
  }

  window.Worker = Finder; // the site has no other
}
