import { type Plants, onStored } from './change.ts';

export const outboxPlants: Plants = {
  'a message is owed to nobody': {
    found: 'owed otherwise',
    plant: (history, random) =>
      onStored(history, random, ({ owed }) => owed.splice(random.below(owed.length), 1).length > 0),
  },
  'a message is owed twice': {
    found: 'owed otherwise',
    plant: (history, random) =>
      onStored(history, random, ({ owed }) => {
        const range = random.pick(owed);
        if (range) owed.push({ seqFrom: range.seqTo, seqTo: range.seqTo });
        return range !== undefined;
      }),
  },
};
