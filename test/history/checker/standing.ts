import type { Own, StoredMember, Watermarks } from '../record.ts';

/** What stands outside of the log, and has no version by which it could be told to be old. */
const ownParts = [
  ...(['deliveredSeq', 'readSeq', 'unread', 'mentions', 'unreadMark'] as const),
  ...(['level', 'pinned', 'archived', 'mutedUntil'] as const),
];

/** What a client says otherwise of its own person than the rows do. */
export function ownDifferences(own: Own, row: StoredMember): string[] {
  return ownParts.flatMap((part) =>
    own[part] === row[part] ? [] : [`${part} is ${own[part]}, and ${row[part]} by the database`],
  );
}

/** What it says otherwise of how far the others are. In a channel nobody is told. */
export function othersDifferences(
  own: Own,
  person: string,
  { members, channel }: { members: readonly StoredMember[]; channel: boolean },
): string[] {
  const rows = channel ? [] : members.filter(({ userId, present }) => present && userId !== person);
  const [shown, stored] = [byPerson(own.others), byPerson(rows)];
  return [...new Set([...shown.keys(), ...stored.keys()])].flatMap((userId) => {
    const [is, was] = [shown.get(userId), stored.get(userId)];
    return is === was ? [] : [`${userId} is at ${is}, and at ${was} by the database`];
  });
}

const byPerson = (all: readonly ({ userId: string } & Watermarks)[]) =>
  new Map(
    all.map(({ userId, deliveredSeq, readSeq, cameSeq }) => [
      userId,
      `${deliveredSeq} delivered, ${readSeq} read, came at ${cameSeq}`,
    ]),
  );
