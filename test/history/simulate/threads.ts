import type { Followed, OperationOf, Stored, StoredMessage } from '../record.ts';

/** The threads of a made-up conversation, and who follows them. */
export class Threads {
  followers: Stored['followers'] = [];
  readonly #messages: readonly StoredMessage[];

  /** Whom each has blocked. */
  readonly #blocked: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(messages: readonly StoredMessage[], blocked: ReadonlyMap<string, ReadonlySet<string>>) {
    [this.#messages, this.#blocked] = [messages, blocked];
  }

  /** The first message of the thread that this one stands in or would begin, where the person may read it. */
  rootOf(messageId: string, joinedSeq: number): StoredMessage | undefined {
    const message = this.#messages.find(({ id, kind }) => id === messageId && kind === 'text');
    const root = this.#messages.find(({ seq }) => seq === (message?.threadSeq ?? message?.seq));
    return root && root.seq > joinedSeq ? root : undefined;
  }

  /** Who wrote follows and has read so far; who began it and who is mentioned by whom they have not blocked follow. */
  follow(root: StoredMessage, { senderId, mentions, seq }: StoredMessage): void {
    const named = mentions.filter((userId) => !this.#blocked.get(userId)?.has(senderId));
    for (const userId of new Set([senderId, root.senderId, ...named])) {
      const known = this.#follower(root.seq, userId);
      if (!known) this.followers.push({ rootSeq: root.seq, userId, following: true, readSeq: 0 });
      const follower = this.#follower(root.seq, userId);
      if (follower && userId === senderId) Object.assign(follower, { following: true, readSeq: seq });
    }
  }

  #follower(rootSeq: number, person: string) {
    return this.followers.find((row) => row.rootSeq === rootSeq && row.userId === person);
  }

  /** Says that a thread is followed or not, or read so far. Undefined where it is refused. */
  patch(
    who: string,
    { messageId, following, seq = 0 }: OperationOf<'follow'>,
    joinedSeq: number,
  ): Followed | undefined {
    const root = this.rootOf(messageId, joinedSeq);
    const last = this.#messages.findLast(({ threadSeq }) => threadSeq === root?.seq)?.seq ?? 0;
    if (!root) return undefined;
    if (!this.#follower(root.seq, who))
      this.followers.push({ rootSeq: root.seq, userId: who, following: true, readSeq: 0 });
    const row = this.#follower(root.seq, who);
    if (!row) return undefined;
    Object.assign(row, { following: following ?? row.following, readSeq: Math.max(row.readSeq, Math.min(seq, last)) });
    return this.#asTold(row);
  }

  of(who: string, joinedSeq: number): Followed[] {
    const last = ({ rootSeq }: Stored['followers'][number]) =>
      this.#messages.findLast(({ threadSeq }) => threadSeq === rootSeq)?.seq ?? 0;
    return this.followers
      .filter((row) => row.userId === who && row.following && row.rootSeq > joinedSeq && last(row) > 0)
      .sort((a, b) => last(b) - last(a))
      .map((row) => this.#asTold(row));
  }

  #asTold({ rootSeq, userId, following, readSeq }: Stored['followers'][number]): Followed {
    const counts = (senderId: string) => senderId !== userId && !this.#blocked.get(userId)?.has(senderId);
    const unread = this.#messages.filter(
      ({ seq, threadSeq, senderId, deleted }) => threadSeq === rootSeq && seq > readSeq && counts(senderId) && !deleted,
    );
    const mentions = unread.filter((message) => message.mentions.includes(userId)).length;
    return { rootSeq, following, readSeq, unread: unread.length, mentions };
  }

  summary(rootSeq: number) {
    const replies = this.#messages.filter(({ threadSeq }) => threadSeq === rootSeq);
    const standing = replies.filter(({ deleted }) => !deleted);
    return { rootSeq, replyCount: standing.length, lastSeq: replies.at(-1)?.seq ?? 0 };
  }

  /** Whoever comes back has read what was written meanwhile in the threads that they follow. */
  comeBack(person: string): void {
    for (const row of this.followers) {
      if (row.userId === person && row.following)
        row.readSeq = Math.max(row.readSeq, this.summary(row.rootSeq).lastSeq);
    }
  }

  stored(): Pick<Stored, 'threads' | 'followers'> {
    const roots = new Set(this.#messages.flatMap(({ threadSeq }) => threadSeq ?? []));
    return { threads: [...roots].map((seq) => this.summary(seq)), followers: structuredClone(this.followers) };
  }
}
