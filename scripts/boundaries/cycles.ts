import type { Arrow } from './graph.ts';

/**
 * Finds import cycles, each told once as the way round. Type-only arrows count: two files that need each other's types
 * are one file, and a later value import between them would load in an order that nobody chose.
 */
export function findCycles(arrows: readonly Arrow[]): string[][] {
  const next = Map.groupBy(arrows, (arrow) => arrow.from);
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'open') cycles.push([...path.slice(path.indexOf(file)), file]);
    if (state.has(file)) return;
    state.set(file, 'open');
    path.push(file);
    for (const arrow of next.get(file) ?? []) visit(arrow.to);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of next.keys()) visit(file);
  return cycles;
}
