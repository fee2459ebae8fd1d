// How Sphinx ranks what a search finds: a page whose name holds the words of the query comes first,
// and of such pages a chapter before the pages of its exhibits.
var Scorer = {
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,

  score: ([page, title, anchor, , score]) => {
    const words = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);
    const asked = words(new URLSearchParams(location.search).get("q") ?? "");
    const named = words(title);
    const share = [...asked].filter((word) => named.has(word)).length / Math.max(asked.size, 1);
    const chapter = !page.includes("/executed/") && !anchor;
    return score + 100 * share + (chapter ? 10 * share + 1 : 0) - (anchor ? 1 : 0);
  },
};
