// GSM 03.38: what costs one septet, and what costs two because it comes from the extension table.
const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const extension = new Set('^{}\\[~]|€\f');

/** In how many parts a text travels: 160 septets or 153 each when several (GSM-7), else 70 or 67 UTF-16 units (UCS-2). */
export function segmentsOf(text: string): { encoding: 'GSM-7' | 'UCS-2'; segments: number } {
  const characters = Array.from(text);
  if (characters.every((character) => basic.has(character) || extension.has(character))) {
    return {
      encoding: 'GSM-7',
      segments: count(
        characters.map((character) => (extension.has(character) ? 2 : 1)),
        160,
        153,
      ),
    };
  }
  return {
    encoding: 'UCS-2',
    segments: count(
      characters.map((character) => character.length),
      70,
      67,
    ),
  };
}

/** A character that does not fit into what is left of a part goes whole into the next. */
function count(costs: readonly number[], single: number, part: number): number {
  if (costs.reduce((sum, cost) => sum + cost, 0) <= single) return 1;
  let segments = 1;
  let used = 0;
  for (const cost of costs) {
    if (used + cost > part) {
      segments += 1;
      used = 0;
    }
    used += cost;
  }
  return segments;
}
