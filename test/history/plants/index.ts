import type { Seen } from '../record.ts';
import {
  type Plants,
  isOk,
  isSent,
  isText,
  onAnswer,
  onEntry,
  onMove,
  onRow,
  onShown,
  onState,
  onStored,
  replaceOne,
} from './change.ts';
import {
  answerAfterRemoval,
  hearAfterRemoval,
  hearBeforeJoining,
  readBeforeJoining,
  repeatWithMore,
  writeAfterRemoval,
} from './members.ts';
import { devicePlants } from './devices.ts';
import { outboxPlants } from './outbox.ts';
import { ownPlants } from './own.ts';
import { rightsPlants } from './rights.ts';
import {
  acceptOther,
  answerOtherwise,
  doubleRow,
  invert,
  onFreshSync,
  readBack,
  refuse,
  resurrect,
  rewrite,
  shortenPage,
  swapPair,
  unread,
} from './sends.ts';
import { threadPlants } from './threads.ts';

/** The violations that are planted, each with what the checker must call it. */
export const plants: Plants = {
  'an acked message is gone': {
    found: 'lost',
    plant: (history, random) =>
      onRow(history, random, isSent(history), ({ messages }, row) => void messages.splice(messages.indexOf(row), 1)),
  },
  'an acked message stands elsewhere': {
    found: 'lost',
    plant: (history, random) => onRow(history, random, isSent(history), (_, row) => void (row.id = 'somebody else’s')),
  },
  'a page lacks its newest message': { found: 'not readable', plant: shortenPage },
  'a refused send stands there': { found: 'refused appears', plant: refuse },
  'a message stands there that nobody sent': {
    found: 'refused appears',
    plant: (history, random) => onRow(history, random, isText, (_, row) => void (row.clientId = 'invented')),
  },
  'one clientId has two rows': { found: 'doubled', plant: doubleRow },
  'a repeat is answered with another message': { found: 'answers differ', plant: answerOtherwise },
  'other words pass for a repeat': { found: 'other content accepted', plant: acceptOther },
  'a version is missing': {
    found: 'gap',
    plant: (history, random) =>
      onStored(history, random, ({ changes }) => changes.splice(random.below(changes.length), 1).length > 0),
  },
  'a seq is missing': {
    found: 'gap',
    plant: (history, random) =>
      onStored(history, random, ({ messages }) => messages.splice(random.below(messages.length), 1).length > 0),
  },
  'a reader sees two messages the other way round': { found: 'swapped', plant: swapPair },
  'a client is told another entry than the others': {
    found: 'swapped',
    plant: (history, random) => onEntry(history, random, (entry) => ({ ...entry, actor: 'somebody else' })),
  },
  'a send is numbered before one that was acked before it began': { found: 'real-time inversion', plant: invert },
  'the log is written anew between two rests': {
    found: 'rewritten',
    plant: (history, random) => onStored(history, random, rewrite, 'first'),
  },
  'a client goes over a version': {
    found: 'silent gap',
    plant: (history, random) => onMove(history, random, 'applied', (move) => [{ ...move, version: move.version + 1 }]),
  },
  'a client holds an old version at rest': {
    found: 'not converged',
    plant: (history, random) => onState(history, random, (held) => ({ ...held, version: held.version - 1 })),
  },
  'a client has lost a conversation at rest': {
    found: 'not converged',
    plant: (history, random) => onState(history, random, () => null),
  },
  'a client applies an entry twice': {
    found: 'shown twice',
    plant: (history, random) => onMove(history, random, 'applied', (move) => [move, move]),
  },
  'a client shows a message twice': {
    found: 'shown twice',
    plant: (history, random) =>
      onState(
        history,
        random,
        (held) => held.messages.length > 0 && { ...held, messages: [...held.messages, held.messages[0] as Seen] },
      ),
  },
  'a client falls back to an older state': {
    found: 'cursor went back',
    plant: (history, random) =>
      onMove(history, random, 'applied', (move) => [move, { ...move, kind: 'replaced', version: move.version - 1 }]),
  },
  'a cursor from the future is answered with nothing': {
    found: 'cursor from the future',
    plant: (history, random) =>
      onAnswer(history, random, ['after'], (answer, { operation }) => {
        // Only whoever named a version that is not there yet got an older state.
        const fits = operation.what === 'after' && answer.snapshots?.some(({ version }) => version < operation.version);
        return fits && { ...answer, snapshots: [], entries: [] };
      }),
  },
  'a client shows an old text': {
    found: 'diverged',
    plant: (history, random) =>
      onShown(history, random, (message) => message.text !== null && { ...message, text: 'an old text' }),
  },
  'a client misses a reaction': {
    found: 'diverged',
    plant: (history, random) =>
      onShown(history, random, (message) => message.reactions.length > 0 && { ...message, reactions: [] }),
  },
  'a deleted text is shown again': { found: 'resurrected', plant: resurrect },
  'an earlier text of a deleted message is kept': {
    found: 'resurrected',
    plant: (history, random) =>
      onRow(
        history,
        random,
        ({ deleted }) => deleted,
        (_, row) => void (row.revisions = 1),
      ),
  },
  'an edit is undone': {
    found: 'change lost',
    plant: (history, random) =>
      onRow(
        history,
        random,
        ({ revisions }) => revisions > 0,
        (_, row) => void (row.text = 'as before'),
      ),
  },
  'a reaction is gone': {
    found: 'change lost',
    plant: (history, random) =>
      onStored(history, random, ({ reactions }) => reactions.splice(random.below(reactions.length), 1).length > 0),
  },
  'a read mark goes back': { found: 'read mark went back', plant: readBack },
  'a read mark is lost at rest': {
    found: 'read mark went back',
    plant: (history, random) => onStored(history, random, (stored) => unread(history, stored)),
  },
  'what is unread is counted one too many': {
    found: 'unread miscounted',
    plant: (history, random) =>
      onFreshSync(history, random, (standing) => ({ ...standing, unread: standing.unread + 1 })),
  },
  'somebody hears of one version after their removal': { found: 'heard outside membership', plant: hearAfterRemoval },
  'a newcomer is told what was before': { found: 'heard outside membership', plant: hearBeforeJoining },
  'a newcomer reads what was before': { found: 'read outside membership', plant: readBeforeJoining },
  'somebody is answered after their removal': { found: 'read outside membership', plant: answerAfterRemoval },
  'a repeat after the removal tells what came since': { found: 'read outside membership', plant: repeatWithMore },
  'somebody writes after their removal': { found: 'wrote outside membership', plant: writeAfterRemoval },
  ...rightsPlants,
  ...threadPlants,
  ...ownPlants,
  ...outboxPlants,
  ...devicePlants,
  'an answer is a fault of the system’s own': {
    found: 'odd answer',
    plant: (history, random) =>
      replaceOne(history, random, isOk, ({ at, who, attempt }) => [
        { kind: 'unknown', at, who, attempt, why: 'internal' },
      ]),
  },
};
