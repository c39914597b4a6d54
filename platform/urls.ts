/** An address that paths are put behind; nothing is tried again for each slash of a long row of them. */
export const withoutSlashAtEnd = (url: string): string => url.replace(/(?<!\/)\/+$/, '');
