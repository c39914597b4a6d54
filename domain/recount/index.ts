export { reconciliation, recountState } from './overview.ts';
export { type RecountDeps, createRecount } from './round.ts';
