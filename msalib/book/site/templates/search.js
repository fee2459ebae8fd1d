// How Sphinx ranks what a search finds: a page whose name holds the words of the query comes first,
// and of such pages a chapter before its lesson, and this before the pages of its exhibits.
var Scorer = {
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,

  score: ([page, title, anchor, , score]) => {
    const words = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
    const asked = words(new URLSearchParams(location.search).get("q") ?? "");
    const named = words(title);
    const share = [...asked].filter((word) => named.has(word)).length / Math.max(asked.size, 1);
    const rank = page.endsWith("/index") ? 2 : page.includes("/executed/") ? 0 : 1;
    return score + 100 * share + (anchor ? -1 : rank * (10 * share + 1));
  },
};
