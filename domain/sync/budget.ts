/** Bytes of one answer: far below what a slow reader's buffer may hold, so that an answer can always be read to its end. */
export const answerBytes = 1_048_576;

/** The first of these that fit into an answer together; one alone always does. */
export function withinBytes<Item>(items: readonly Item[], most = answerBytes): Item[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return bytes > most && index > 0;
  });
  return end === -1 ? [...items] : items.slice(0, end);
}
