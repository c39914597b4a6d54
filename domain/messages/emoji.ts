import { faultyField } from '../errors.ts';

const oneEmoji = /^\p{RGI_Emoji}$/v;
const variationSelector = '\u{fe0f}';
const modifier = /^\p{Emoji_Modifier}$/v;

/**
 * One emoji in its fully qualified form (UTS #51), so that the same picture typed on two keyboards is one kind of
 * reaction. Anything else is refused.
 */
export function normalizeEmoji(input: string): string {
  const emoji = qualify(input.normalize('NFC').replaceAll(variationSelector, ''));
  if (!oneEmoji.test(emoji)) throw faultyField('emoji', 'not_an_emoji', 'must be one emoji');
  return emoji;
}

/** Puts the selector behind every sign that would otherwise be shown as text. */
function qualify(bare: string): string {
  const signs = Array.from(bare);
  return signs
    .map((sign, index) => {
      const next = signs[index + 1] ?? '';
      const asText = /^\p{Emoji}$/v.test(sign) && !/^\p{Emoji_Presentation}$/v.test(sign);
      return asText && !modifier.test(next) && !modifier.test(sign) ? `${sign}${variationSelector}` : sign;
    })
    .join('');
}
